/**
 * Returns the UUID that follows in byte order, or `null` behind the last one.
 *
 * Qdrant's scroll offset is inclusive while the port continues behind an id; its successor as the offset is exact and costs no extra point.
 */
export function uuidSuccessor(id: string): string | null {
  const next = BigInt(`0x${id.replaceAll('-', '')}`) + 1n;
  const hex = next.toString(16).padStart(32, '0');
  if (hex.length > 32) return null;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
