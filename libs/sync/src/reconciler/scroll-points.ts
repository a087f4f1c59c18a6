import { isUuid } from '#kernel';
import type { ScrollRequest, StoredPoint, VectorFilter, VectorStore } from '#vector-store';

export interface PointRange {
  /** Exclusive; `null` = from the start. */
  readonly after: string | null;
  /** Inclusive; `null` = to the end. */
  readonly upTo: string | null;
  /** How many points are expected, which sizes the first page; `null` = full pages. */
  readonly expected: number | null;
  /** Most points per page. */
  readonly pageSize: number;
  readonly filter?: VectorFilter;
  readonly signal?: AbortSignal;
}

/** The first page is this much larger than expected: slices are not equally full, and another round trip costs more than a few points. */
const PAGE_MARGIN = 1.05;
const PAGE_MARGIN_POINTS = 32;
/** Later pages of a range start small, because most of what they bring lies behind its end. */
const SMALLEST_PAGE = 64;

/**
 * Reads the points of a range page by page, all slices of the store side by side, and hands each page over at once; a page ascends, pages of different
 * slices come as they come. Ids that are no UUIDs have no place in the order and are handed over with the range that begins at the start.
 */
export async function scrollPoints(
  store: VectorStore,
  collection: string,
  range: PointRange,
  visit: (points: readonly StoredPoint[]) => void,
): Promise<void> {
  const total = store.parallelSlices;
  const slices = Array.from({ length: total }, (_, index) => (total === 1 ? undefined : { total, index }));
  await Promise.all(slices.map((slice) => scrollSlice(store, collection, range, slice, total, visit)));
}

async function scrollSlice(
  store: VectorStore,
  collection: string,
  { after: start, upTo, expected, pageSize, filter, signal }: PointRange,
  slice: ScrollRequest['slice'],
  total: number,
  visit: (points: readonly StoredPoint[]) => void,
): Promise<void> {
  const isWithin = ({ id }: StoredPoint): boolean => upTo === null || !isUuid(id) || id <= upTo;
  let limit =
    expected === null || upTo === null ? pageSize : Math.min(pageSize, Math.ceil((expected / total) * PAGE_MARGIN) + PAGE_MARGIN_POINTS);
  for (let after = start; ;) {
    signal?.throwIfAborted();
    const page = await store.scroll(collection, { limit, ...(after === null ? {} : { after }), filter, slice }, { signal });
    const points = page.points.filter(isWithin);
    visit(points);
    if (page.next === null || points.length < page.points.length) return;
    if (page.next === after || (after !== null && isUuid(page.next) && isUuid(after) && page.next < after)) {
      throw new Error(`The scroll of ${collection} does not advance behind ${after}`);
    }
    after = page.next;
    if (upTo !== null) limit = Math.min(pageSize, Math.max(SMALLEST_PAGE, Math.floor(limit / 4)));
  }
}
