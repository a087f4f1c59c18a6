import { setTimeout as delay } from 'node:timers/promises';
import type { ApiClient } from './api-client.js';
import type { Corpus } from './corpus.js';
import type { SetName } from './searcher.js';

const POSTS_IN_FLIGHT = 8;
/** The most that one batch of documents, and one page of a list, may hold. */
const BATCH_SIZE = 100;
const POLL_MS = 50;

interface Page {
  readonly items: readonly unknown[];
  readonly next_cursor: string | null;
}

/** Writes the rows through the public API into a service that has none of them. @throws Error when a row is refused */
export async function loadCorpus(client: ApiClient, set: SetName, corpus: Corpus): Promise<void> {
  await (set === 'projects' ? loadProjects(client, corpus) : loadDocuments(client, corpus));
}

async function loadProjects(client: ApiClient, { rows }: Corpus): Promise<void> {
  const queue = rows.values();
  const post = async (): Promise<void> => {
    for (const row of queue) await client.call('POST', '/api/v1/projects', row);
  };
  await Promise.all(Array.from({ length: POSTS_IN_FLIGHT }, post));
}

async function loadDocuments(client: ApiClient, { collection, rows }: Corpus): Promise<void> {
  await client.call('POST', '/api/v1/collections', collection);
  for (let start = 0; start < rows.length; start += BATCH_SIZE) {
    const documents = rows.slice(start, start + BATCH_SIZE).map((row) => ({ collection: collection.name, ...row }));
    await client.call('POST', '/api/v1/documents/batch', { documents });
  }
  // A batch answers 200 also when it refuses items; a row that is missing would pass for one that was not found.
  const stored = await countDocuments(client, collection.name);
  if (stored !== rows.length) throw new Error(`The service took ${stored} of ${rows.length} documents`);
}

async function countDocuments(client: ApiClient, collection: string): Promise<number> {
  let count = 0;
  for (let cursor: string | null = ''; cursor !== null;) {
    const parameters: Record<string, string> = { collection, limit: String(BATCH_SIZE), ...(cursor !== '' && { cursor }) };
    const page: Page = await client.call<Page>('GET', `/api/v1/documents?${new URLSearchParams(parameters).toString()}`);
    count += page.items.length;
    cursor = page.next_cursor;
  }
  return count;
}

interface LedgerReply {
  readonly generations: readonly { readonly source: string; readonly state: string; readonly entries: { readonly pending: number } }[];
}

/** Waits until the index has every change; the label of the model that the searches use. */
export async function waitUntilIndexed(client: ApiClient, set: SetName): Promise<string> {
  // The ledger itself: what a search says of changes that are pending may be a second old.
  for (;;) {
    const { generations } = await client.call<LedgerReply>('GET', '/api/v1/admin/sync/status');
    const serving = generations.find(({ source, state }) => source === set && state === 'serving');
    if (serving?.entries.pending === 0) break;
    await delay(POLL_MS);
  }
  const path = set === 'projects' ? '/api/v1/similarity/find-similar' : '/api/v1/query';
  const { index } = await client.call<{ index: { model: string } }>('POST', path, { query: 'ready', mode: 'vector', top_k: 1 });
  return index.model;
}
