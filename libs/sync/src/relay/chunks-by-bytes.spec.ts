import { chunksByBytes } from './chunks-by-bytes.js';
import type { WorkItem } from './work-item.js';

describe('chunksByBytes', () => {
  /** `{}` is two bytes. */
  const upsert = (text: string, payload = {}): WorkItem => ({ action: 'upsert', document: { id: 'x', text, payload } }) as WorkItem;
  const sizes = (items: readonly WorkItem[], maxBytes: number): number[] => chunksByBytes(items, maxBytes).map(({ length }) => length);

  it('keeps what fits together, in order', () => {
    const items = [upsert('a'.repeat(8)), upsert('b'.repeat(8)), upsert('c'.repeat(8))];
    expect(chunksByBytes(items, 30)).toEqual([items]);
    expect(chunksByBytes(items, 29)).toEqual([items.slice(0, 2), items.slice(2)]);
  });

  it('lets a row that is too large stand alone', () => {
    expect(sizes([upsert('a'), upsert('b'.repeat(1_000)), upsert('c')], 100)).toEqual([1, 1, 1]);
  });

  it('counts bytes of UTF-8, and the payload', () => {
    expect(sizes([upsert('ä'.repeat(10)), upsert('ä'.repeat(10))], 43)).toEqual([1, 1]);
    expect(sizes([upsert('', { region: 'x'.repeat(50) }), upsert('')], 60)).toEqual([1, 1]);
  });

  it('makes 64 rows of a megabyte 16 chunks of four', () => {
    const items = Array.from({ length: 64 }, () => upsert('x'.repeat(1_000_000)));
    expect(sizes(items, 4 * 1024 * 1024)).toEqual(new Array(16).fill(4));
  });

  it('never splits deletes and checks', () => {
    expect(sizes(new Array<WorkItem>(500).fill({ action: 'delete' } as WorkItem), 1)).toEqual([500]);
    expect(sizes([], 1)).toEqual([]);
  });
});
