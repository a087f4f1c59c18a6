import type { WorkItem } from './work-item.js';

/** What embedding and sending an item moves: its text and its payload. Deletes and checks move next to nothing. */
function bytesOf(item: WorkItem): number {
  if (item.action !== 'upsert') return 0;
  return Buffer.byteLength(item.document.text) + Buffer.byteLength(JSON.stringify(item.document.payload));
}

/**
 * Splits items, in their order, so that none of the chunks has more than `maxBytes`; an item that is larger stands alone.
 *
 * Rows differ in size by a factor of thousands: 64 rows of a megabyte in one call would hold their lease for minutes, and the memory of as many copies.
 */
export function chunksByBytes<Item extends WorkItem>(items: readonly Item[], maxBytes: number): Item[][] {
  const chunks: Item[][] = [];
  let bytes = 0;
  for (const item of items) {
    const size = bytesOf(item);
    const current = chunks.at(-1);
    if (current === undefined || bytes + size > maxBytes) {
      chunks.push([item]);
      bytes = size;
    } else {
      current.push(item);
      bytes += size;
    }
  }
  return chunks;
}
