/**
 * Parts that a failed group is split into. Eight: of 64 entries with one bad one, 17 calls and two tries per good entry find it; halves need fewer calls
 * (13) but three tries, and a batch full of bad ones would be tried seven times instead of three.
 */
export const SPLIT_WAYS = 8;

/** Splits into up to {@link SPLIT_WAYS} parts of about equal size, in order. */
export function splitForIsolation<T>(items: readonly T[]): T[][] {
  const size = Math.ceil(items.length / SPLIT_WAYS);
  const parts: T[][] = [];
  for (let from = 0; from < items.length; from += size) parts.push(items.slice(from, from + size));
  return parts;
}

export interface IsolationResult<Item, Result> {
  readonly done: ReadonlyMap<Item, Result>;
  /** Items that failed alone: it is they that cannot be processed. */
  readonly poison: readonly { readonly item: Item; readonly error: unknown }[];
  /** Items that are left, because a failure said nothing about them; with that failure. */
  readonly left: { readonly items: readonly Item[]; readonly error: unknown } | null;
  /** Groups that were split. */
  readonly splits: number;
}

/**
 * Applies `action` to all items at once, and splits what fails until each item that cannot be processed stands alone; everything else goes through.
 *
 * @param action one result per item, in order
 * @param isPoison whether the failure may be the fault of an item; when it is not, nothing more is tried
 */
export async function isolatePoison<Item, Result>(
  items: readonly Item[],
  action: (items: readonly Item[]) => Promise<readonly Result[]>,
  isPoison: (error: unknown) => Promise<boolean>,
): Promise<IsolationResult<Item, Result>> {
  const done = new Map<Item, Result>();
  const poison: { item: Item; error: unknown }[] = [];
  const waiting: (readonly Item[])[] = [items];
  let splits = 0;
  for (let group = waiting.shift(); group !== undefined; group = waiting.shift()) {
    try {
      const results = await action(group);
      group.forEach((item, n) => done.set(item, results[n]!));
    } catch (error) {
      if (!(await isPoison(error))) return { done, poison, left: { items: [group, ...waiting].flat(), error }, splits };
      if (group.length === 1) poison.push({ item: group[0]!, error });
      else {
        splits++;
        waiting.push(...splitForIsolation(group));
      }
    }
  }
  return { done, poison, left: null, splits };
}
