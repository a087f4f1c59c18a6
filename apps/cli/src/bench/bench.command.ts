import { renderTable } from '#kernel';
import { Command, Option } from 'nest-commander';
import { ProgressLine } from '../output/progress-line.js';
import type { KindredClient, SearchReply } from '../service/kindred-client.js';
import { ServiceCommand, wholeNumber, type ServiceOptions } from '../service/service-command.js';
import { INDEX_HEALTH_PATH, type IndexHealth } from '../vector-index/index-health.js';
import { measure, type Timing } from './measure.js';
import { PlainScan } from './plain-scan.js';

interface BenchOptions extends ServiceOptions {
  readonly iterations?: number;
  readonly warmUp?: number;
  readonly concurrency?: number;
}

interface BenchReport {
  readonly url: string;
  readonly iterations: number;
  readonly warm_up: number;
  readonly concurrency: number;
  readonly points: number;
  readonly dimensions: number;
  readonly cases: readonly Timing[];
  /** `null` = there are no points to scan. */
  readonly scan: Timing | null;
  /** p50 of the scan by p50 of a search by vector; below 1 the scan is faster. */
  readonly speed_up: number | null;
}

const ITERATIONS_DEFAULT = 200;
const WARM_UP_DEFAULT = 20;
const TOP_K = 5;
const MAIN_SOURCE = 'projects';
/** A scan is the same each time, and long where there are many points. */
const SCANS = 20;

const WOODS = ['oak', 'larch', 'walnut', 'spruce', 'ash', 'cherry', 'maple'];
const THINGS = ['kitchen', 'staircase', 'wardrobe', 'terrace', 'front door', 'bookcase', 'window seat', 'parquet'];
const MANNERS = ['modern', 'carved', 'white oiled', 'narrow', 'curved', 'child-proof', 'restored'];

@Command({
  name: 'bench',
  description:
    'Measure the searches of a service over HTTP, and a plain scan of as many vectors beside them. Reads only; npm run bench measures more, against a service of its own',
})
export class BenchCommand extends ServiceCommand {
  @Option({ flags: '--iterations <number>', description: `calls that are measured, per case (${ITERATIONS_DEFAULT})` })
  parseIterations(text: string): number {
    return wholeNumber('--iterations', text);
  }

  @Option({ flags: '--warm-up <number>', description: `calls before them that are not (${WARM_UP_DEFAULT})` })
  parseWarmUp(text: string): number {
    return wholeNumber('--warm-up', text, 0);
  }

  @Option({ flags: '--concurrency <number>', description: 'calls under way at a time (1)' })
  parseConcurrency(text: string): number {
    return wholeNumber('--concurrency', text);
  }

  async run(_arguments: string[], options: BenchOptions): Promise<void> {
    const client = this.clientOf(options);
    const { iterations = ITERATIONS_DEFAULT, warmUp = WARM_UP_DEFAULT, concurrency = 1 } = options;
    const health = await client.health<IndexHealth>(INDEX_HEALTH_PATH);
    const stats = health.collections.find(({ source }) => source === MAIN_SOURCE)?.stats ?? null;
    const points = stats?.total_points ?? 0;
    const dimensions = stats?.vector_dimension ?? 0;
    const cases = await this.cases(client, { count: iterations, warmUp, concurrency });
    const scan = points === 0 ? null : await scanned(points, dimensions);
    const byVector = cases[0]!.p50_ms;
    const speedUp = scan === null ? null : Math.round((scan.p50_ms / byVector) * 1_000) / 1_000;
    const report = { url: client.url, iterations, warm_up: warmUp, concurrency, points, dimensions, cases, scan, speed_up: speedUp };
    this.show(options, report, () => textOf(report));
  }

  private async cases(client: KindredClient, options: { count: number; warmUp: number; concurrency: number }): Promise<Timing[]> {
    const line = new ProgressLine(process.stderr);
    // Texts that no run before has sent: the service keeps the vectors of queries.
    const run = Date.now();
    const search = (query: string, mode: string) =>
      client.call<SearchReply>('POST', '/api/v1/similarity/find-similar', { query, mode, top_k: TOP_K, threshold: -1 });
    const works: readonly (readonly [string, (call: number) => Promise<unknown>])[] = [
      ['search by vector, new text', (call) => search(`${textOfCall(call)} ${run}`, 'vector')],
      ['search hybrid, new text', (call) => search(`${textOfCall(call)} ${run + 1}`, 'hybrid')],
      ['search hybrid, same text', () => search(`oak ${run + 2}`, 'hybrid')],
      ['list of 20', () => client.call('GET', '/api/v1/projects?limit=20')],
    ];
    const timings: Timing[] = [];
    try {
      for (const [name, work] of works)
        timings.push(await measure(name, options, work, (done) => line.show(`${name}: ${done} of ${options.count}`)));
    } finally {
      line.end();
    }
    return timings;
  }
}

async function scanned(points: number, dimensions: number): Promise<Timing> {
  const scan = new PlainScan(points, dimensions);
  const work = async (call: number): Promise<number[]> => scan.search(scan.vector(Math.abs(call) % points), TOP_K);
  return measure('plain scan', { count: SCANS, warmUp: 3, concurrency: 1 }, work);
}

function textOfCall(call: number): string {
  const at = Math.abs(call);
  const [manner, wood, thing] = [MANNERS, WOODS, THINGS].map(
    (words, index) => words[(at + index * 3 + Math.floor(at / words.length)) % words.length],
  );
  return `${manner} ${thing} of ${wood}, number ${call}`;
}

function textOf({ url, iterations, warm_up, concurrency, points, dimensions, cases, scan, speed_up }: BenchReport): string {
  const rows = [...cases, ...(scan === null ? [] : [scan])].map((timing) => [
    timing.name,
    timing.p50_ms.toFixed(2),
    timing.p95_ms.toFixed(2),
    timing.p99_ms.toFixed(2),
    timing.per_second.toFixed(1),
  ]);
  const head = `${url}: ${iterations} calls of each after ${warm_up} to warm up, ${concurrency} at a time; ${points} points of ${dimensions} dimensions`;
  const end =
    speed_up === null
      ? 'There are no points to scan.'
      : `A search by vector, with HTTP, the model and the rows, is ${speed_up} x as fast as the scan alone, which has none of them: it goes through ${points} made-up vectors in this process.`;
  return `${head}\n\n${renderTable(['measured', 'p50 ms', 'p95 ms', 'p99 ms', 'per second'], rows)}\n\n${end}`;
}
