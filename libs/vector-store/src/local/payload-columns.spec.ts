import type { PointPayload } from '../vector-store.js';
import { PayloadColumns } from './payload-columns.js';

const payload = (fields: Record<string, string | number | boolean | null>) => fields as PointPayload;

describe('PayloadColumns', () => {
  it('returns what was written, fields that rows do not share included', () => {
    const columns = new PayloadColumns();
    columns.set(0, payload({ rev: 1, a: 'x' }));
    columns.set(1, payload({ rev: 2, b: null }));
    expect(columns.get(0)).toEqual({ rev: 1, a: 'x' });
    expect(columns.get(1)).toEqual({ rev: 2, b: null });
    expect(columns.length).toBe(2);
  });

  it('forgets the fields that a rewrite leaves out', () => {
    const columns = new PayloadColumns();
    columns.set(0, payload({ rev: 1, a: 'x' }));
    columns.set(0, payload({ rev: 2 }));
    expect(columns.get(0)).toEqual({ rev: 2 });
  });

  it('moves and removes rows whole', () => {
    const columns = new PayloadColumns();
    columns.set(0, payload({ rev: 1, a: 'x' }));
    columns.set(1, payload({ rev: 2 }));
    columns.copy(1, 0);
    columns.removeLast();
    expect(columns.length).toBe(1);
    expect(columns.get(0)).toEqual({ rev: 2 });
    columns.set(1, payload({ rev: 3 }));
    expect(columns.get(1)).toEqual({ rev: 3 });
  });

  it('keeps more different texts than it shares', () => {
    const columns = new PayloadColumns();
    for (let row = 0; row < 5000; row++) columns.set(row, payload({ rev: row, hash: `hash ${row}` }));
    expect(columns.get(4999)).toEqual({ rev: 4999, hash: 'hash 4999' });
    expect(columns.get(17)).toEqual({ rev: 17, hash: 'hash 17' });
  });
});
