import pg from 'pg';
import { availableParallelism } from 'node:os';
import { measureParallelSessions } from './floors.js';
import type { TokenIds } from './bare-session.js';
import type { ServiceUnderTest } from './service-under-test.js';
import { Durations, timed } from './statistics.js';

/** One file to import, and what is asked while it is. */
export interface ImportCase {
  readonly kind: 'projects' | 'documents';
  readonly tokens: number;
  readonly rows: readonly object[];
  /** The texts that are embedded, as the model reads them. */
  readonly texts: readonly TokenIds[];
  /** Another file of the same kind, for the searches during an import. */
  readonly more: readonly object[];
  readonly nextQuery: () => string;
}

export interface ImportFigures {
  readonly kind: string;
  readonly tokens: number;
  readonly rows: number;
  readonly rowsPerSecond: number;
  readonly floorRowsPerSecond: number;
  readonly growthMiB: number;
  readonly firstMs: number;
  readonly repeatMs: number;
  /** Vectors that the repeated import made, and ledger entries that it touched. */
  readonly repeatEmbedded: number;
  readonly repeatTouched: number;
  readonly quiet: Durations;
  readonly during: Durations;
}

interface Job {
  readonly id: string;
  readonly state: string;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly progress: { readonly unchanged: number; readonly inserted: number };
}

const FLOOR_TEXTS = 400;
/** Each look costs the service and its database a request: often enough for the shortest import, and nothing that shows in a long one. */
const POLL_MS = 100;
const MEMORY_POLL_MS = 500;
const QUERIES_PER_SECOND = 10;
const QUIET_QUERIES = 300;

/** Imports a file into an empty service, the same file again, and another one beside searches; the floor is measured before and after. */
export async function measureImport(
  service: ServiceUnderTest,
  modelFolder: string,
  given: ImportCase,
  say: (text: string) => void,
): Promise<ImportFigures> {
  const { kind, tokens, rows } = given;
  const floorTexts = given.texts.slice(0, FLOOR_TEXTS);
  const rates = [await measureParallelSessions(modelFolder, floorTexts)];
  const database = new pg.Client({ connectionString: service.databaseUrl });
  await database.connect();
  try {
    const memory = watchMemory(service);
    say(`Importing ${rows.length} ${kind} of ${tokens} tokens ...`);
    const first = await importAll(service, database, kind, rows);
    const growthMiB = memory.stop();
    rates.push(await measureParallelSessions(modelFolder, floorTexts));
    const before = await counts(database);
    say('The same file again ...');
    const repeated = await importAll(service, database, kind, rows);
    const after = await counts(database);
    if (repeated.job.progress.unchanged !== rows.length)
      throw new Error(`Of ${rows.length} equal rows ${repeated.job.progress.unchanged} were unchanged`);

    say('Searches, quiet and beside an import ...');
    const quiet = new Durations();
    await search(service, kind, given.nextQuery, quiet, () => quiet.count >= QUIET_QUERIES);
    const during = new Durations();
    let isOver = false;
    const importing = importAll(service, database, kind, given.more).finally(() => (isOver = true));
    await search(service, kind, given.nextQuery, during, () => isOver);
    await importing;
    return {
      kind,
      tokens,
      rows: rows.length,
      rowsPerSecond: rows.length / (first.untilSearchableMs / 1_000),
      floorRowsPerSecond: Math.max(...rates),
      growthMiB,
      firstMs: first.untilSearchableMs,
      repeatMs: repeated.untilSearchableMs,
      repeatEmbedded: after.vectors - before.vectors,
      repeatTouched: Number(after.version - before.version),
      quiet,
      during,
    };
  } finally {
    await database.end();
  }
}

/** Uploads a file; resolves when every row is searchable. The time counts from the start of the job. */
async function importAll(service: ServiceUnderTest, database: pg.Client, kind: string, rows: readonly object[]) {
  const file = Buffer.from(rows.map((row) => JSON.stringify(row)).join('\n'));
  const { id } = await service.upload<Job>(`/api/v1/${kind}/import`, file, 'application/x-ndjson');
  for (;;) {
    const job = await service.call<Job>('GET', `/api/v1/jobs/${id}`);
    if (job.state === 'failed') throw new Error(`The import has failed: ${JSON.stringify(job)}`);
    if (job.state === 'done' && (await pending(database)) === 0)
      return { job, untilSearchableMs: Date.now() - Date.parse(job.started_at!) };
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

async function pending(database: pg.Client): Promise<number> {
  const { rows } = await database.query<{ count: number }>(`SELECT count(*)::int AS count FROM index_ledger WHERE state = 'pending'`);
  return rows[0]!.count;
}

async function counts(database: pg.Client): Promise<{ vectors: number; version: bigint }> {
  const { rows } = await database.query<{ vectors: number; version: string }>(
    'SELECT (SELECT count(*)::int FROM embedding_cache) AS vectors, (SELECT max(version) FROM index_ledger) AS version',
  );
  return { vectors: rows[0]!.vectors, version: BigInt(rows[0]!.version) };
}

/** At a constant rate, whatever the searches before take. */
async function search(
  service: ServiceUnderTest,
  kind: string,
  nextQuery: () => string,
  into: Durations,
  isOver: () => boolean,
): Promise<void> {
  const calls: Promise<void>[] = [];
  const ask = async (): Promise<void> => {
    const query = nextQuery();
    const body = kind === 'projects' ? { query, top_k: 5, threshold: -1, mode: 'vector' } : { query, top_k: 5, mode: 'vector' };
    const path = kind === 'projects' ? '/api/v1/similarity/find-similar' : '/api/v1/query';
    into.add(await timed(() => service.call('POST', path, body)));
  };
  while (!isOver()) {
    calls.push(ask());
    await new Promise((resolve) => setTimeout(resolve, 1_000 / QUERIES_PER_SECOND));
  }
  await Promise.all(calls);
}

/** Looks at the memory of the service until it is stopped; gives how far it grew above where it was. */
function watchMemory(service: ServiceUnderTest): { stop(): number } {
  const start = service.memoryMiB().service;
  let most = start;
  const timer = setInterval(() => (most = Math.max(most, service.memoryMiB().service)), MEMORY_POLL_MS);
  return {
    stop: () => {
      clearInterval(timer);
      return most - start;
    },
  };
}

const verdict = (isMet: boolean): string => (isMet ? 'met' : 'MISSED');
const percent = (value: number): string => `${(value * 100).toFixed(0)} %`;

/** Of the bare rate, by tokens of the texts: short ones cost as much around the model as in it. */
const SHARE_GOAL = (tokens: number): number => (tokens < 100 ? 0.7 : 0.85);
const GROWTH_GOAL_MIB = 200;
const REPEAT_GOAL = 0.1;
const SLOWER_GOAL = 2;

/** The goals of imports, as ratios to floors of the same run. */
export function renderImports(figures: readonly ImportFigures[]): string {
  const lines = [
    `imports, from the start of the job until every row is searchable; ${availableParallelism()} cores, model real`,
    '',
    '| file | measured | goal | |',
    '|---|---|---|---|',
  ];
  for (const one of figures) {
    const file = `${one.rows} ${one.kind} of ${one.tokens} tokens`;
    const share = one.rowsPerSecond / one.floorRowsPerSecond;
    const goal = SHARE_GOAL(one.tokens);
    const repeat = one.repeatMs / one.firstMs;
    const slower = one.during.p99 / one.quiet.p99;
    lines.push(
      `| ${file} | ${one.rowsPerSecond.toFixed(1)} rows/s of ${one.floorRowsPerSecond.toFixed(1)} | >= ${percent(goal)} of the bare sessions | ${percent(share)} ${verdict(share >= goal)} |`,
      `| memory of the service | grew by ${one.growthMiB.toFixed(0)} MiB | <= ${GROWTH_GOAL_MIB} MiB | ${verdict(one.growthMiB <= GROWTH_GOAL_MIB)} |`,
      `| the same file again | ${(one.repeatMs / 1_000).toFixed(2)} s; ${one.repeatEmbedded} embedded, ${one.repeatTouched} entries touched | <= ${percent(REPEAT_GOAL)} of the first time, 0 embedded | ${percent(repeat)} ${verdict(repeat <= REPEAT_GOAL && one.repeatEmbedded === 0 && one.repeatTouched === 0)} |`,
      `| search p99: quiet / during an import | ${one.quiet.p99.toFixed(1)} / ${one.during.p99.toFixed(1)} ms (p50 ${one.quiet.p50.toFixed(1)} / ${one.during.p50.toFixed(1)}; ${one.during.count} searches) | <= ${SLOWER_GOAL} x | ${slower.toFixed(2)} x ${verdict(slower <= SLOWER_GOAL)} |`,
    );
  }
  return `${lines.join('\n')}\n`;
}
