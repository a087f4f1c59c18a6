import type { Durations } from './statistics.js';

export interface BenchResult {
  readonly machine: { readonly cpu: string; readonly cores: number; readonly node: string };
  readonly rows: number;
  readonly queries: number;
  readonly seed: number;
  readonly ingest: { readonly rowsPerSecond: number; readonly floorRowsPerSecond: number };
  readonly floor: { readonly session1: Durations; readonly session2: Durations; readonly exactSearch: Durations; readonly list: Durations };
  /** `uncached`, `cached` and `batchOfFive` search by vector; `hybrid` and `keyword` are uncached. */
  readonly service: Readonly<Record<'uncached' | 'hybrid' | 'keyword' | 'cached' | 'batchOfFive' | 'list', Durations>>;
  readonly lag: Durations;
  readonly memoryMiB: { readonly service: number; readonly database: number };
}

const ms = (value: number): string => `${value.toFixed(2)} ms`;
const ratio = (value: number): string => `${value.toFixed(2)} x`;
/** What looking for the words as well may add to a search by vector. */
const HYBRID_GOAL_MS = 4;
const verdict = (isMet: boolean): string => (isMet ? 'met' : 'MISSED');

/** The goals of the project, as ratios to the floors of the same run and as absolute guards for a machine with two cores. */
export function renderReport(result: BenchResult): string {
  const { floor, service, ingest, lag, memoryMiB } = result;
  const searchFloorMs = floor.session1.p50 + floor.exactSearch.p50;
  const searchRatio = service.uncached.p50 / searchFloorMs;
  const hybridMs = service.hybrid.p50 - service.uncached.p50;
  const ingestRatio = ingest.rowsPerSecond / ingest.floorRowsPerSecond;
  const distribution = (durations: Durations): string => `${ms(durations.p50)} / ${ms(durations.p95)} / ${ms(durations.p99)}`;
  const rows: [string, string, string, string][] = [
    ['floor: bare session, 16 tokens, 1 thread', distribution(floor.session1), '', ''],
    ['floor: bare session, 16 tokens, 2 threads', distribution(floor.session2), '', ''],
    ['floor: exact scan of the same vectors', distribution(floor.exactSearch), '', ''],
    ['floor: pg list query + JSON', distribution(floor.list), '', ''],
    ['floor: bare sessions, 128 tokens, one per core', `${ingest.floorRowsPerSecond.toFixed(1)} rows/s`, '', ''],
    [
      'find-similar, vector, uncached',
      distribution(service.uncached),
      'p50 <= 2.0 x (session + scan)',
      `${ratio(searchRatio)} ${verdict(searchRatio <= 2)}`,
    ],
    ['', '', 'p50 <= 5 ms, p99 <= 15 ms', verdict(service.uncached.p50 <= 5 && service.uncached.p99 <= 15)],
    [
      'find-similar, hybrid, uncached',
      distribution(service.hybrid),
      `p50 <= vector + ${HYBRID_GOAL_MS} ms`,
      `+ ${ms(hybridMs)} ${verdict(hybridMs <= HYBRID_GOAL_MS)}, ${ratio(service.hybrid.p50 / service.uncached.p50)} of vector`,
    ],
    ['find-similar, keyword', distribution(service.keyword), '', `${ratio(service.keyword.p50 / service.uncached.p50)} of vector`],
    ['find-similar, cached query', distribution(service.cached), '', ratio(service.cached.p50 / searchFloorMs)],
    ['batch of 5, uncached', distribution(service.batchOfFive), 'p50 <= 10 ms', verdict(service.batchOfFive.p50 <= 10)],
    [
      'list, page of 20',
      distribution(service.list),
      'p99 <= 8 ms',
      `${ratio(service.list.p50 / floor.list.p50)} ${verdict(service.list.p99 <= 8)}`,
    ],
    [
      'ingest, single POST, 8 in flight',
      `${ingest.rowsPerSecond.toFixed(1)} rows/s`,
      '>= 80 % of the bare sessions',
      `${(ingestRatio * 100).toFixed(0)} % ${verdict(ingestRatio >= 0.8)}`,
    ],
    ['write to searchable', distribution(lag), '', ''],
    ['memory: service / database', `${memoryMiB.service.toFixed(0)} / ${memoryMiB.database.toFixed(0)} MiB`, '', ''],
  ];
  const lines = [
    `${result.rows} rows of 128 tokens, ${result.queries} queries of 16 tokens, seed ${result.seed}; model real; ${result.machine.cores} x ${result.machine.cpu}, Node ${result.machine.node}`,
    '',
    '| measured | p50 / p95 / p99 | goal | ratio to the floor |',
    '|---|---|---|---|',
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ];
  return `${lines.join('\n')}\n`;
}
