import { Command, CommandRunner, Option } from 'nest-commander';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { projectTable } from '../output/result-table.js';
import { KindredClient, type SearchReply } from '../service/kindred-client.js';
import { askQuestions, loadDocuments } from './demo-documents.js';
import { secondsSince } from './seconds-since.js';
import { ServiceProcess } from '../service/service-process.js';

const SEED = new URL('../../../../../seed/projects.json', import.meta.url);

/** One per kind of wording: English keywords, an English sentence, German. */
const QUERIES = ['modern oak kitchen with an island', 'open staircase with glass railing for a narrow hallway', 'Terrasse aus Lärche'];
const TOP_K = 5;
/** As many as keep both embedding workers and the database busy. */
const LOADS_IN_FLIGHT = 8;
const POLL_MS = 100;

@Command({
  name: 'demo',
  description:
    'Start the service, load the sample projects and documents into an empty database, and answer three searches and two questions',
})
export class DemoCommand extends CommandRunner {
  @Option({ flags: '--once', description: 'stop after printing instead of keeping the service running' })
  parseOnce(): boolean {
    return true;
  }

  async run(_arguments: string[], options: { once?: boolean } = {}): Promise<void> {
    const startedMs = performance.now();
    console.log('Starting the service ...');
    // A single run must not fail because another service holds the usual port.
    const service = await ServiceProcess.start(options.once === true ? { PORT: '0' } : {});
    forwardSignals(service);
    console.log(`Ready at ${service.url} after ${secondsSince(startedMs)} s.`);
    try {
      const client = new KindredClient(service.url);
      await loadSamples(client);
      await waitUntilSearchable(client);
      for (const query of QUERIES) print(query, await client.findSimilar(query, TOP_K));
      await askQuestions(client, await loadDocuments(client));
    } catch (error) {
      await service.stop();
      throw error;
    }
    if (options.once === true) {
      process.exitCode = await service.stop();
      console.log(`\nDone after ${secondsSince(startedMs)} s.`);
      return;
    }
    console.log(`\nKindred keeps serving at ${service.url}. Try the API at ${service.url}/docs; stop with Ctrl+C.`);
    process.exitCode = await service.ended;
  }
}

async function loadSamples(client: KindredClient): Promise<void> {
  if (await client.hasProjects()) {
    console.log('The database has projects already; nothing is loaded.');
    return;
  }
  const projects = JSON.parse(await readFile(SEED, 'utf8')) as unknown[];
  const startedMs = performance.now();
  const queue = projects.values();
  let loaded = 0;
  const load = async (): Promise<void> => {
    for (const project of queue) {
      await client.createProject(project);
      loaded++;
      if (process.stdout.isTTY) process.stdout.write(`\rLoading sample projects: ${loaded}/${projects.length}`);
    }
  };
  await Promise.all(Array.from({ length: LOADS_IN_FLIGHT }, load));
  if (process.stdout.isTTY) process.stdout.write('\r');
  console.log(`Loaded ${projects.length} sample projects in ${secondsSince(startedMs)} s.`);
}

async function waitUntilSearchable(client: KindredClient): Promise<void> {
  const startedMs = performance.now();
  let pending: number;
  while ((pending = (await client.findSimilar('ready', 1)).index?.pending ?? Infinity) > 0) {
    if (process.stdout.isTTY) process.stdout.write(`\rIndexing, ${pending} to go `);
    await delay(POLL_MS);
  }
  if (process.stdout.isTTY) process.stdout.write('\r');
  console.log(`All projects are searchable after ${secondsSince(startedMs)} s more.`);
}

function print(query: string, reply: SearchReply): void {
  console.log(`\n"${query}"  (${reply.search_time_ms} ms, ${reply.source} index, ${reply.index?.model ?? 'no model'})`);
  console.log(projectTable(reply));
}

function forwardSignals(service: ServiceProcess): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void service.stop());
}
