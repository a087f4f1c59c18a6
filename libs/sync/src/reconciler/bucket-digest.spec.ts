import { BucketDigest } from './bucket-digest.js';

const side = (rev: number, textHash = 't') => ({ rev, textHash, payloadHash: 'p', modelRev: 'm' });
const ID = '00000000-0000-4000-8000-0000000000a1';
const OTHER = '00000000-0000-4000-8000-0000000000b2';

describe('BucketDigest', () => {
  it('is equal on both sides, in any order, exactly when the sides are', () => {
    const [forth, back] = [new BucketDigest(), new BucketDigest()];
    forth.add(ID, side(1), side(1));
    forth.add(OTHER, side(2), side(2));
    back.add(OTHER, side(2), side(2));
    back.add(ID, side(1), side(1));
    expect(forth.report()).toEqual(back.report());
    const { rows, points, buckets } = forth.report();
    expect(rows).toBe(points);
    expect(rows).toMatch(/^[0-9a-f]{32}$/);
    expect(Object.keys(buckets!)).toEqual(['a1', 'b2']);
  });

  it.each([
    ['rev', side(1), side(2)],
    ['text', side(1), side(1, 'other')],
    ['payload', side(1), { ...side(1), payloadHash: 'other' }],
    ['model', side(1), { ...side(1), modelRev: 'other' }],
    ['a missing point', side(1), null],
    ['a missing row', null, side(1)],
  ])('differs with %s, in its bucket only', (_name, expected, found) => {
    const digest = new BucketDigest();
    digest.add(OTHER, side(2), side(2));
    digest.add(ID, expected, found);
    const { rows, points, buckets } = digest.report();
    expect(rows).not.toBe(points);
    expect(buckets!['a1']!.rows).not.toBe(buckets!['a1']!.points);
    expect(buckets!['b2']!.rows).toBe(buckets!['b2']!.points);
  });

  it('does not cancel out two ids with equal content', () => {
    const digest = new BucketDigest();
    digest.add(ID, side(1), null);
    digest.add('11111111-0000-4000-8000-0000000000a1', null, side(1));
    expect(digest.report().rows).not.toBe(digest.report().points);
  });
});
