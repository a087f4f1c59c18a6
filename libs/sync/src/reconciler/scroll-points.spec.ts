import type { ScrollPage, ScrollRequest, StoredPoint, VectorStore } from '#vector-store';
import { scrollPoints } from './scroll-points.js';

const idOf = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
const pointOf = (id: string): StoredPoint => ({ id, payload: { rev: 1, text_hash: '', payload_hash: '', model_rev: '', bucket: '' } });

/** As much of a store as a scroll needs. */
function storeOf(scroll: (request: ScrollRequest) => ScrollPage, parallelSlices = 1): { store: VectorStore; requests: ScrollRequest[] } {
  const requests: ScrollRequest[] = [];
  const store = {
    parallelSlices,
    scroll: (_collection: string, request: ScrollRequest) => {
      requests.push(request);
      return Promise.resolve(scroll(request));
    },
  };
  return { store: store as unknown as VectorStore, requests };
}

/** Ids 1 to `count`, in order. */
const counting =
  (count: number) =>
  ({ after, limit }: ScrollRequest): ScrollPage => {
    const all = Array.from({ length: count }, (_, n) => idOf(n + 1)).filter((id) => after === undefined || id > after);
    return { points: all.slice(0, limit).map(pointOf), next: all.length > limit ? all[limit - 1]! : null };
  };

async function idsOf(store: VectorStore, range: Partial<Parameters<typeof scrollPoints>[2]>): Promise<string[]> {
  const ids: string[] = [];
  await scrollPoints(store, 'c', { after: null, upTo: null, expected: null, pageSize: 100, ...range }, (points) =>
    ids.push(...points.map(({ id }) => id)),
  );
  return ids;
}

describe('scrollPoints', () => {
  it('hands over a range, both ends as they say', async () => {
    const { store } = storeOf(counting(500));
    const ids = await idsOf(store, { after: idOf(10), upTo: idOf(300), expected: 290, pageSize: 1_000 });
    expect(ids).toEqual(Array.from({ length: 290 }, (_, n) => idOf(n + 11)));
  });

  it('needs one page when the index is as expected, and more when it has more', async () => {
    const { store, requests } = storeOf(counting(500));
    await idsOf(store, { upTo: idOf(100), expected: 100, pageSize: 1_000 });
    expect(requests).toHaveLength(1);
    expect(requests[0]!.limit).toBeLessThan(150);
    const ids = await idsOf(store, { upTo: idOf(400), expected: 10, pageSize: 1_000 });
    expect(ids).toHaveLength(400);
  });

  it('reads all slices', async () => {
    const { store, requests } = storeOf(() => ({ points: [], next: null }), 3);
    await idsOf(store, {});
    expect(requests.map(({ slice }) => slice)).toEqual([0, 1, 2].map((index) => ({ total: 3, index })));
  });

  it.each([
    ['stands still', (after: string | undefined) => after ?? idOf(5)],
    ['goes back', (after: string | undefined) => (after === undefined ? idOf(5) : idOf(1))],
  ])('fails rather than going round with a store that %s (F26)', async (_name, next) => {
    const { store } = storeOf(({ after }) => ({ points: [pointOf(idOf(5))], next: next(after) }));
    await expect(idsOf(store, {})).rejects.toThrow(/does not advance/);
  });
});
