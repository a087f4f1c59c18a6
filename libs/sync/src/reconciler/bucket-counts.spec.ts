import { findDifferingBuckets, type EntryCounts } from './bucket-counts.js';

const NONE: EntryCounts = { synced: 0, pending: 0, tombstone: 0, dead: 0 };

function differs(rows: number, entries: Partial<EntryCounts>, points: number, hasAllEntries = true): string {
  const { all, withUnknownRows } = findDifferingBuckets(
    { rows: new Map([['00', rows]]), entries: new Map([['00', { ...NONE, ...entries }]]) },
    new Map([['00', points]]),
    hasAllEntries,
  );
  return `${all.length > 0 ? 'differs' : 'right'}${withUnknownRows.length > 0 ? ', unknown rows' : ''}`;
}

describe('findDifferingBuckets', () => {
  it.each<[string, number, Partial<EntryCounts>, number, string]>([
    ['all synced', 3, { synced: 3 }, 3, 'right'],
    ['a point is missing', 3, { synced: 3 }, 2, 'differs'],
    ['a point too many', 3, { synced: 3 }, 4, 'differs'],
    ['a new row on its way', 4, { synced: 3, pending: 1 }, 3, 'right'],
    ['a changed row on its way', 4, { synced: 3, pending: 1 }, 4, 'right'],
    ['a deleted row on its way', 3, { synced: 3, pending: 1 }, 4, 'right'],
    ['a tombstone with and without a late point', 3, { synced: 3, tombstone: 1 }, 4, 'right'],
    ['a dead entry without a point', 4, { synced: 3, dead: 1 }, 3, 'right'],
    ['more missing than is on its way', 4, { synced: 3, pending: 1 }, 2, 'differs'],
    ['a row without an entry', 4, { synced: 3 }, 3, 'differs, unknown rows'],
    ['a row with a tombstone only', 4, { synced: 3, tombstone: 1 }, 3, 'differs, unknown rows'],
    ['a synced entry without a row', 2, { synced: 3 }, 3, 'differs'],
    ['nothing', 0, {}, 0, 'right'],
  ])('%s', (_name, rows, entries, points, expected) => {
    expect(differs(rows, entries, points)).toBe(expected);
  });

  it('does not miss entries while the generation is being filled', () => {
    expect(differs(4, { synced: 3 }, 3, false)).toBe('right');
  });

  it('takes in buckets that only one side has', () => {
    const { all } = findDifferingBuckets({ rows: new Map(), entries: new Map() }, new Map([['ff', 1]]), true);
    expect(all).toEqual(['ff']);
  });
});
