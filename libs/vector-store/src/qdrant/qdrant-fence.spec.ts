import type { VectorPoint } from '../vector-store.js';
import { deleteSelection, upsertFence } from './qdrant-fence.js';

const IDS = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'] as const;
const older = (id: string, rev: number): object => ({ must: [{ has_id: [id] }, { key: 'rev', range: { lt: rev } }] });

describe('fences', () => {
  it('let each point replace only what is older than itself, or has no rev', () => {
    const points = IDS.map((id, n) => ({ id, payload: { rev: n + 5 } }) as unknown as VectorPoint);
    expect(upsertFence(points)).toEqual({ should: [older(IDS[0], 5), older(IDS[1], 6), { is_empty: { key: 'rev' } }] });
  });

  it('never select a point to delete that is not named', () => {
    const selection = deleteSelection(IDS.map((id, n) => ({ id, rev: n + 5 })));
    const withoutRev = { must: [{ has_id: [...IDS] }, { is_empty: { key: 'rev' } }] };
    expect(selection).toEqual({ should: [older(IDS[0], 5), older(IDS[1], 6), withoutRev] });
  });
});
