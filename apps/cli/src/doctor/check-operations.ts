import { randomUUID } from 'node:crypto';
import type { KindredClient, QueryReply, SearchReply } from '../service/kindred-client.js';
import { adviceOf } from './check-service.js';
import { fail, ok, reasonOf, warn, type Finding } from './finding.js';

const INDEX_WAIT_MS = 10_000;
const TEXT = 'A test of the doctor: a kingfisher carved from lime wood';

/** Tries what the service is for: embeds a text, and writes, finds and deletes a document in a collection made for it, of which nothing stays. */
export async function checkOperations(client: KindredClient): Promise<Finding[]> {
  const embedding = await tried('embed and search', () => embed(client));
  return [embedding, ...(embedding.state === 'fail' ? [] : await scratch(client))];
}

async function embed(client: KindredClient): Promise<Finding> {
  const body = { query: TEXT, mode: 'vector', top_k: 1, threshold: -1 };
  const { degraded, source, search_time_ms: timeMs } = await client.call<SearchReply>('POST', '/api/v1/similarity/find-similar', body);
  const detail = `answered by the ${source} index in ${timeMs} ms`;
  return degraded
    ? warn('embed and search', detail, 'The index or the model is away: see the health of the service.')
    : ok('embed and search', detail);
}

async function scratch(client: KindredClient): Promise<Finding[]> {
  const collection = `doctor-${randomUUID().slice(0, 8)}`;
  const findings: Finding[] = [];
  const made = await tried('write', () => write(client, collection));
  findings.push(made);
  if (made.state === 'ok') findings.push(await tried('find what was written', () => find(client, collection)));
  // Also when the write has failed half way: nothing of it may stay.
  findings.push(await tried('delete', () => remove(client, collection, made.state === 'ok')));
  return findings;
}

async function write(client: KindredClient, collection: string): Promise<Finding> {
  await client.createCollection({ name: collection, description: 'Made by kindred doctor, which deletes it again' });
  const document = { collection, title: 'Kingfisher', content: TEXT };
  const { index_state: state } = await client.call<{ index_state: string }>(
    'POST',
    `/api/v1/documents?wait_for_index_ms=${INDEX_WAIT_MS}`,
    document,
  );
  if (state !== 'pending') return ok('write', `a document in the collection ${collection}, ${state}`);
  return warn('write', `not in the index after ${INDEX_WAIT_MS / 1_000} s`, 'There is a backlog, or the index is away: kindred status.');
}

async function find(client: KindredClient, collection: string): Promise<Finding> {
  const { results } = await client.query({ query: TEXT, top_k: 1, collection });
  const name = 'find what was written';
  if (results.length === 0) return fail(name, 'it is not found', 'kindred index validate tells whether rows and index agree.');
  return ok(name, `similarity ${results[0]!.similarity ?? '-'}`);
}

async function remove(client: KindredClient, collection: string, isWritten: boolean): Promise<Finding> {
  const path = `/api/v1/collections/${collection}`;
  if (!(await client.hasCollection(collection))) return ok('delete', 'there is nothing to delete');
  await client.call('DELETE', path, undefined, { 'if-match': '*' });
  const isGone = !(await client.hasCollection(collection)) && (await isNotFound(client, collection));
  if (!isGone) return fail('delete', `the collection ${collection} is still there`, `Delete it: DELETE ${path}`);
  return ok('delete', isWritten ? 'collection and document are gone' : 'the collection is gone');
}

async function isNotFound(client: KindredClient, collection: string): Promise<boolean> {
  try {
    await client.call<QueryReply>('POST', '/api/v1/query', { query: TEXT, collection });
    return false;
  } catch {
    return true;
  }
}

async function tried(name: string, work: () => Promise<Finding>): Promise<Finding> {
  try {
    return await work();
  } catch (error) {
    return fail(name, reasonOf(error), adviceOf(error, 'The log of the service says more.'));
  }
}
