import { renderProjectText } from '#projects';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadTokenizer, openBareSession } from './bare-session.js';
import { measureBareList, measureExactSearch, measureParallelSessions, measureSession, readVectors } from './floors.js';
import { renderFigures } from './guard/guard-figure.js';
import { GUARD_PARTS, measureGuard } from './guard/measure-guard.js';
import { measureImport, renderImports, type ImportCase, type ImportFigures } from './import-bench.js';
import { renderReport, type BenchResult } from './report.js';
import { ServiceUnderTest } from './service-under-test.js';
import { Durations, timed } from './statistics.js';
import { randomOf, TextGenerator } from './texts.js';

const MODEL_FOLDER = fileURLToPath(new URL('../../models/all-MiniLM-L6-v2', import.meta.url));
const DIMENSIONS = 384;
const QUERY_TOKENS = 16;
const DOCUMENT_TOKENS = 128;
const TOP_K = 5;
const LOADS_IN_FLIGHT = 8;
/** Floors and service take turns, so that both see the same weather on a shared machine. */
const ROUNDS = 5;
const FLOOR_DOCUMENTS = 400;
const LAG_PROBES = 40;
const POLL_MS = 2;
const IMPORT_TOKENS = [20, 128];
const COLLECTION = 'bench';
/** Of the rows, in the file that is imported while searches run. */
const SHARE_BESIDE_SEARCHES = 0.25;
let externalIds = 0;

function readOptions() {
  const { values } = parseArgs({
    options: {
      rows: { type: 'string', default: '2000' },
      queries: { type: 'string', default: '500' },
      seed: { type: 'string', default: '1' },
      json: { type: 'boolean', default: false },
      only: { type: 'string' },
    },
  });
  const positive = (name: 'rows' | 'queries' | 'seed'): number => {
    const value = Number(values[name]);
    if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} must be a whole number above 0`);
    return value;
  };
  const [only, part] = values.only?.split('/') ?? [];
  const parts = ['import', 'guard', ...GUARD_PARTS.map((name) => `guard/${name}`)];
  if (values.only !== undefined && !parts.includes(values.only)) throw new Error(`--only knows the parts ${parts.join(', ')}`);
  return {
    only,
    part,
    rows: positive('rows'),
    queries: Math.max(ROUNDS, positive('queries')),
    seed: positive('seed'),
    isJson: values.json,
  };
}

async function run(): Promise<void> {
  const { only, part, rows, queries, seed, isJson } = readOptions();
  const say = (text: string): void => void process.stderr.write(`${text}\n`);
  const tokenizer = loadTokenizer(MODEL_FOLDER);
  const idsOf = (text: string): readonly number[] => tokenizer.encode(text).ids;
  const generator = new TextGenerator(randomOf(seed), (text) => idsOf(text).length, renderProjectText);

  if (only === 'import') {
    await runImports(rows, generator, idsOf, say);
    return;
  }
  if (only === 'guard') {
    process.stdout.write(renderFigures(await measureGuard({ rows, generator, say }, part)));
    return;
  }
  say(`Making ${rows} projects of ${DOCUMENT_TOKENS} tokens and ${queries} queries of ${QUERY_TOKENS} ...`);
  const projects = Array.from({ length: rows }, () => generator.project(DOCUMENT_TOKENS));
  const floorTexts = projects.slice(0, FLOOR_DOCUMENTS).map((project) => idsOf(renderProjectText(project)));

  say('Floor of ingest: one bare session per core ...');
  const sessionRates = [await measureParallelSessions(MODEL_FOLDER, floorTexts)];

  const service = await ServiceUnderTest.start();
  try {
    say(`Ingest: ${rows} POSTs, ${LOADS_IN_FLIGHT} in flight ...`);
    const ingestMs = await ingest(service, projects, say);
    // The service is idle now: its workers wait without spinning.
    sessionRates.push(await measureParallelSessions(MODEL_FOLDER, floorTexts));

    const result: BenchResult = {
      machine: { cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version },
      rows,
      queries,
      seed,
      ingest: { rowsPerSecond: rows / (ingestMs / 1000), floorRowsPerSecond: Math.max(...sessionRates) },
      ...(await measureReads(service, generator, idsOf, queries, say)),
      lag: await measureLag(service, generator),
      memoryMiB: service.memoryMiB(),
    };
    process.stdout.write(
      isJson
        ? `${JSON.stringify(result, (_key, value: unknown) => (value instanceof Durations ? { p50: value.p50, p95: value.p95, p99: value.p99, count: value.count } : value), 2)}\n`
        : renderReport(result),
    );
  } finally {
    await service.stop();
  }
}

/** Each file into an empty service of its own. */
async function runImports(
  rows: number,
  generator: TextGenerator,
  idsOf: (text: string) => readonly number[],
  say: (text: string) => void,
): Promise<void> {
  const figures: ImportFigures[] = [];
  for (const tokens of IMPORT_TOKENS) {
    for (const given of [projectImport(rows, tokens, generator, idsOf), documentImport(rows, tokens, generator, idsOf)]) {
      const service = await ServiceUnderTest.start();
      try {
        if (given.kind === 'documents') await service.call('POST', '/api/v1/collections', { name: COLLECTION });
        figures.push(await measureImport(service, MODEL_FOLDER, given, say));
      } finally {
        await service.stop();
      }
    }
  }
  process.stdout.write(renderImports(figures));
}

function projectImport(rows: number, tokens: number, generator: TextGenerator, idsOf: (text: string) => readonly number[]): ImportCase {
  const make = () => ({ ...generator.project(tokens), external_id: `p-${++externalIds}` });
  return importCase('projects', rows, tokens, generator, make, ({ external_id: _id, ...project }) => idsOf(renderProjectText(project)));
}

function documentImport(rows: number, tokens: number, generator: TextGenerator, idsOf: (text: string) => readonly number[]): ImportCase {
  const make = () => ({ ...generator.document(tokens), collection: COLLECTION, external_id: `d-${++externalIds}` });
  return importCase('documents', rows, tokens, generator, make, ({ title, content }) => idsOf(`${title}\n${content}`));
}

function importCase<Row extends object>(
  kind: ImportCase['kind'],
  count: number,
  tokens: number,
  generator: TextGenerator,
  make: () => Row,
  idsOfRow: (row: Row) => readonly number[],
): ImportCase {
  const rows = Array.from({ length: count }, make);
  const texts = rows.slice(0, FLOOR_DOCUMENTS).map(idsOfRow);
  const more = Array.from({ length: Math.ceil(count * SHARE_BESIDE_SEARCHES) }, make);
  return { kind, tokens, rows, texts, more, nextQuery: () => generator.query(QUERY_TOKENS) };
}

/** From the first POST until the last row is searchable. */
async function ingest(service: ServiceUnderTest, projects: readonly unknown[], say: (text: string) => void): Promise<number> {
  const queue = projects.values();
  return timed(async () => {
    let posted = 0;
    const load = async (): Promise<void> => {
      for (const project of queue) {
        await service.call('POST', '/api/v1/projects', project);
        if (++posted % 1000 === 0) say(`  ${posted} posted`);
      }
    };
    await Promise.all(Array.from({ length: LOADS_IN_FLIGHT }, load));
    await service.untilIndexed();
  });
}

async function measureReads(
  service: ServiceUnderTest,
  generator: TextGenerator,
  idsOf: (text: string) => readonly number[],
  count: number,
  say: (text: string) => void,
) {
  const vectors = await readVectors(service.databaseUrl);
  const sessions = { one: await openBareSession(MODEL_FOLDER, 1), two: await openBareSession(MODEL_FOLDER, 2) };
  const floor = { session1: new Durations(), session2: new Durations(), exactSearch: new Durations(), list: new Durations() };
  const service_ = {
    uncached: new Durations(),
    hybrid: new Durations(),
    keyword: new Durations(),
    cached: new Durations(),
    batchOfFive: new Durations(),
    list: new Durations(),
  };
  const perRound = Math.ceil(count / ROUNDS);
  const warmUp = new Durations();
  await measureSession(sessions.one, [idsOf(generator.query(QUERY_TOKENS))], warmUp);
  await measureSession(sessions.two, [idsOf(generator.query(QUERY_TOKENS))], warmUp);
  for (let i = 0; i < 20; i++)
    for (const mode of ['vector', 'hybrid', 'keyword'] as const) await find(service, generator.query(QUERY_TOKENS), mode);

  for (let round = 1; round <= ROUNDS; round++) {
    say(`Reads, round ${round} of ${ROUNDS} ...`);
    const texts = Array.from({ length: perRound }, () => generator.query(QUERY_TOKENS));
    const ids = texts.map(idsOf);
    await measureSession(sessions.one, ids, floor.session1);
    await measureSession(sessions.two, ids, floor.session2);
    const probes = texts.map((_, i) =>
      vectors.subarray((i % (vectors.length / DIMENSIONS)) * DIMENSIONS, ((i % (vectors.length / DIMENSIONS)) + 1) * DIMENSIONS),
    );
    await measureExactSearch(vectors, DIMENSIONS, probes, Math.min(TOP_K, vectors.length / DIMENSIONS), floor.exactSearch);
    for (const text of texts) {
      // Turn and turn about, each with a text that no cache knows.
      service_.uncached.add(await timed(() => find(service, text, 'vector')));
      const [both, words] = [generator.query(QUERY_TOKENS), generator.query(QUERY_TOKENS)];
      service_.hybrid.add(await timed(() => find(service, both, 'hybrid')));
      service_.keyword.add(await timed(() => find(service, words, 'keyword')));
    }
    for (const text of texts) service_.cached.add(await timed(() => find(service, text, 'vector')));
    for (let i = 0; i < perRound / 5; i++) {
      const batch = Array.from({ length: 5 }, () => generator.query(QUERY_TOKENS));
      service_.batchOfFive.add(
        await timed(() =>
          service.call('POST', '/api/v1/similarity/batch-similar', { queries: batch, mode: 'vector', top_k: TOP_K, threshold: -1 }),
        ),
      );
    }
    await measureBareList(service.databaseUrl, perRound, floor.list);
    for (let i = 0; i < perRound; i++) service_.list.add(await timed(() => service.call('GET', '/api/v1/projects?limit=20')));
  }
  return { floor, service: service_ };
}

/** From the commit of a new row (its POST's answer) until a search finds it. */
async function measureLag(service: ServiceUnderTest, generator: TextGenerator): Promise<Durations> {
  const lag = new Durations();
  for (let i = 0; i < LAG_PROBES; i++) {
    const project = generator.project(DOCUMENT_TOKENS);
    const { id } = await service.call<{ id: string }>('POST', '/api/v1/projects', project);
    lag.add(
      await timed(async () => {
        while (
          !(
            await find(service, project.name, 'vector', { final_price: { gte: project.final_price, lte: project.final_price } })
          ).results.some((hit) => hit.project.id === id)
        ) {
          await new Promise((resolve) => setTimeout(resolve, POLL_MS));
        }
      }),
    );
  }
  return lag;
}

interface Found {
  readonly results: readonly { readonly project: { readonly id: string } }[];
}

type Mode = 'vector' | 'keyword' | 'hybrid';

function find(service: ServiceUnderTest, query: string, mode: Mode, filters?: object): Promise<Found> {
  return service.call('POST', '/api/v1/similarity/find-similar', { query, mode, top_k: TOP_K, threshold: -1, filters });
}

await run();
