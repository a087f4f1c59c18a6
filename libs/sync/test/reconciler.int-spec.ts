import type { PointPayload, VectorPoint } from '#vector-store';
import type { Certificate } from '../src/index.js';
import { idOf, SyncHarness } from './sync-harness.js';

const ROWS = 250;

describe('Reconciler', () => {
  let harness: SyncHarness;

  beforeAll(async () => {
    harness = await SyncHarness.create();
  });
  afterAll(() => harness.close());
  beforeEach(async () => {
    await harness.clear();
    await harness.database.query(
      `INSERT INTO projects (id, name, description, complexity)
       SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'n', 'text ' || n, n % 5 + 1 FROM generate_series(1, ${ROWS}) n`,
    );
    await harness.drain(harness.newRelay());
  });

  const collection = () => harness.generation.collection;
  const run = (options = {}): Promise<Certificate> => harness.reconciler.run(harness.generation, options);

  async function changed(n: number, payload: Partial<PointPayload>, id = idOf(n)): Promise<VectorPoint> {
    const [point] = await harness.store.retrieve(collection(), [idOf(n)], { hasVectors: true });
    return { id, vector: point!.vector!, payload: { ...point!.payload, bucket: id.slice(-2), ...payload } as PointPayload };
  }

  const counts = ({ report }: Certificate) =>
    Object.fromEntries(Object.entries(report.differences).map(([kind, { count }]) => [kind, count]));

  it('certifies an index that agrees', async () => {
    const certificate = await run();
    expect(certificate.report).toMatchObject({
      decision: 'clean',
      rows: ROWS,
      points: ROWS,
      verified: ROWS,
      in_flight: 0,
      dead: 0,
      repaired: 0,
      sampled_vectors: 100,
      text_verified: true,
      reasons: [],
    });
    expect(certificate.report.digest.rows).toBe(certificate.report.digest.points);
    expect(certificate.report.digest.rows).not.toMatch(/^0*$/);
  });
  it('repairs', async () => {
    await harness.store.losePoints(collection(), [idOf(3)]);
    await harness.store.replacePoints(collection(), [await changed(7, { rev: 1 })]);
    const certificate = await run();
    expect(certificate.decision).toBe('repaired');
    expect(counts(certificate)).toMatchObject({ missing: 1, stale: 1, orphan: 0 });
    await harness.drain(harness.newRelay());
    await expect(run()).resolves.toMatchObject({ decision: 'clean' });
  });
});
