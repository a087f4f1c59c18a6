import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { documentTable } from '../output/result-table.js';
import type { KindredClient, QueryReply } from '../service/kindred-client.js';
import { secondsSince } from './seconds-since.js';

const SEED = new URL('../../../../../seed/documents.json', import.meta.url);

/** One of each language, in other words than the documents'. */
const QUESTIONS = [
  'Mein Parkett hat im Winter Fugen bekommen, muss ich das reklamieren?',
  'My garden fence has turned silver. Is the wood rotting?',
];
const TOP_K = 3;
/** As many as the route takes at once. */
const BATCH_SIZE = 100;
const POLL_MS = 100;
/** More than an answer in the documents' own words has; a terminal wraps it. */
const LINE_INDENT = '  ';

interface SampleDocuments {
  readonly collection: { readonly name: string };
  readonly documents: readonly object[];
}

/** Loads the sample collection, unless it is there. @returns its name */
export async function loadDocuments(client: KindredClient): Promise<string> {
  const { collection, documents } = JSON.parse(await readFile(SEED, 'utf8')) as SampleDocuments;
  if (await client.hasCollection(collection.name)) {
    console.log(`\nThe collection ${collection.name} is there already; nothing is loaded.`);
    return collection.name;
  }
  const startedMs = performance.now();
  await client.createCollection(collection);
  for (let start = 0; start < documents.length; start += BATCH_SIZE) {
    const batch = documents.slice(start, start + BATCH_SIZE).map((document) => ({ collection: collection.name, ...document }));
    const failed = await client.upsertDocuments(batch);
    if (failed > 0) throw new Error(`${failed} sample documents were refused`);
  }
  while (((await client.query({ query: 'ready', top_k: 1, collection: collection.name })).index?.pending ?? 1) > 0) await delay(POLL_MS);
  console.log(`\nLoaded ${documents.length} sample documents (${collection.name}), searchable after ${secondsSince(startedMs)} s.`);
  return collection.name;
}

/** Asks the sample questions and prints the answers with their citations. */
export async function askQuestions(client: KindredClient, collection: string): Promise<void> {
  for (const query of QUESTIONS) print(query, await client.query({ query, top_k: TOP_K, collection, answer: true }));
}

function print(query: string, { answer, results, query_time_ms, source }: QueryReply): void {
  console.log(`\n"${query}"  (${query_time_ms} ms, ${source} index, ${answer!.mode} answer)`);
  console.log(answer!.text.replace(/^/gm, LINE_INDENT));
  for (const { number, title, external_id } of answer!.citations) console.log(`${LINE_INDENT}[${number}] ${external_id ?? ''} ${title}`);
  console.log(documentTable({ results }));
}
