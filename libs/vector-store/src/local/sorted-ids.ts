/**
 * Ids in ascending order, kept lazily: inserts are collected and merged when the order is next read, so that paging through an unchanged collection
 * sorts once and never again. Deleted ids stay until a merge; the reader asks `has` about each.
 */
export class SortedIds {
  private sorted: string[] = [];
  private fresh: string[] = [];
  private removed = 0;

  add(id: string): void {
    this.fresh.push(id);
  }

  noteRemoval(): void {
    this.removed++;
  }

  /** Calls back with ids above `after` (exclusive) in ascending order until `visit` returns false. `has` tells which ids still exist. */
  forEachAfter(after: string | null, has: (id: string) => boolean, visit: (id: string) => boolean): void {
    this.merge(has);
    for (let index = after === null ? 0 : this.firstAbove(after); index < this.sorted.length; index++) {
      const id = this.sorted[index]!;
      if (has(id) && !visit(id)) return;
    }
  }

  private merge(has: (id: string) => boolean): void {
    const isCrowded = this.removed * 2 > this.sorted.length;
    if (this.fresh.length === 0 && !isCrowded) return;
    const fresh = this.fresh.sort();
    const merged: string[] = [];
    let [old, added] = [0, 0];
    while (old < this.sorted.length || added < fresh.length) {
      const takesOld = added >= fresh.length || (old < this.sorted.length && this.sorted[old]! <= fresh[added]!);
      const id = takesOld ? this.sorted[old++]! : fresh[added++]!;
      // An id that was deleted and written again stands in both.
      if (id !== merged[merged.length - 1] && has(id)) merged.push(id);
    }
    this.sorted = merged;
    this.fresh = [];
    this.removed = 0;
  }

  private firstAbove(after: string): number {
    let [low, high] = [0, this.sorted.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.sorted[middle]! <= after) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
