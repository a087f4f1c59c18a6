/** The two sides of one id; at least one is there. */
export interface JoinedPair<Left, Right> {
  readonly left: Left | null;
  readonly right: Right | null;
}

/**
 * Joins two sequences that ascend by id; each id comes once. Reads no further ahead than one item of each side, so memory is that of its inputs.
 */
export async function* mergeJoin<Left, Right>(
  left: AsyncIterator<Left>,
  right: AsyncIterator<Right>,
  idOfLeft: (item: Left) => string,
  idOfRight: (item: Right) => string,
): AsyncGenerator<JoinedPair<Left, Right>> {
  let a = await left.next();
  let b = await right.next();
  while (a.done !== true || b.done !== true) {
    const order = a.done === true ? 1 : b.done === true ? -1 : compare(idOfLeft(a.value), idOfRight(b.value));
    yield { left: order <= 0 && a.done !== true ? a.value : null, right: order >= 0 && b.done !== true ? b.value : null };
    if (order <= 0) a = await left.next();
    if (order >= 0) b = await right.next();
  }
}

/** Lower-case UUIDs sort as text like their bytes, which is PostgreSQL's order and the store's. */
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
