import type { ClaimedEntry } from '../ledger/ledger-entry.js';

/**
 * New entries together, retries in chunks that halve with each attempt: what fails, or ends the process, in the company of others stands alone soon.
 */
export function chunksByAttempts(entries: readonly ClaimedEntry[], batchSize: number): ClaimedEntry[][] {
  const byAttempts = new Map<number, ClaimedEntry[]>();
  for (const entry of entries) {
    const group = byAttempts.get(entry.attempts);
    if (group === undefined) byAttempts.set(entry.attempts, [entry]);
    else group.push(entry);
  }
  const chunks: ClaimedEntry[][] = [];
  for (const attempts of [...byAttempts.keys()].sort((a, b) => a - b)) {
    const group = byAttempts.get(attempts)!;
    const size = Math.max(1, Math.floor(batchSize / 2 ** Math.min(attempts - 1, 30)));
    for (let from = 0; from < group.length; from += size) chunks.push(group.slice(from, from + size));
  }
  return chunks;
}
