import { ServiceUnderTest, type Exchange } from './service-under-test.js';
import { Durations } from './statistics.js';
import type { TextGenerator } from './texts.js';
import { setTimeout as delay } from 'node:timers/promises';

const BOOTSTRAP = 'bench-bootstrap-key-0123456789abcdef';
const PEPPER = 'bench-pepper-0123456789abcdef0123456789';
const KEYS = '/api/v1/admin/keys';
const SEARCH = '/api/v1/similarity/find-similar';
const QUERY_TOKENS = 16;
const PROJECT_TOKENS = 40;

const PROBE_SECONDS = 15;
const PROBE_SEARCHES_PER_SECOND = 50;
const PROBES_PER_SECOND = 20;
const AUTH_ROUNDS = 1_500;
const LIMIT = 2_000;
const PROCESSES = 3;
const WRONG_KEYS = 5_000;
const QUIET_SEARCHES_PER_SECOND = 20;
const OVERLOAD_FACTOR = 5;
const OVERLOAD_SECONDS = 10;
const STOPS = 20;

/** What the parts that stand before the controllers cost, and whether they hold. */
export interface GuardFigures {
  readonly probes: { readonly quiet: Durations; readonly loaded: Durations };
  readonly auth: { readonly none: Durations; readonly key: Durations; readonly limited: Durations };
  readonly limit: { readonly allowed: number; readonly refused: number };
  readonly wrongKeys: { readonly letIn: number; readonly quiet: Durations; readonly attacked: Durations };
  readonly overload: {
    readonly peakPerSecond: number;
    readonly goodPerSecond: number;
    readonly offeredPerSecond: number;
    readonly turnedAway: Durations;
    readonly failed: number;
  };
  readonly stops: { readonly clean: number; readonly failedRequests: number; readonly durations: Durations };
}

/** Runs everything, each part with a service of its own. @param rows projects to search in */
export async function measureGuard(rows: number, generator: TextGenerator, say: (text: string) => void): Promise<GuardFigures> {
  const open = await filled({ RATE_LIMIT_PER_MINUTE: '0' }, rows, generator, say);
  let probes: GuardFigures['probes'];
  let auth: GuardFigures['auth'];
  let overload: GuardFigures['overload'];
  try {
    say(`Probes: ${PROBE_SECONDS} s quiet, ${PROBE_SECONDS} s beside ${PROBE_SEARCHES_PER_SECOND} searches a second ...`);
    probes = await measureProbes(open, generator);
    say(`Keys: ${AUTH_ROUNDS} requests of each kind in turn ...`);
    auth = await measureAuth(open);
    say(`Overload: the most that is answered, then ${OVERLOAD_FACTOR} times as much for ${OVERLOAD_SECONDS} s ...`);
    overload = await measureOverload(open, generator, say);
  } finally {
    await open.stop();
  }
  say(`Limit of ${LIMIT} a minute over ${PROCESSES} processes ...`);
  const limit = await measureLimit();
  say(`${WRONG_KEYS} wrong keys beside ${QUIET_SEARCHES_PER_SECOND} searches a second ...`);
  const wrongKeys = await measureWrongKeys(rows, generator, say);
  say(`${STOPS} orderly ends under load ...`);
  const stops = await measureStops(rows, generator, say);
  return { probes, auth, limit, wrongKeys, overload, stops };
}

async function filled(
  settings: Readonly<Record<string, string>>,
  rows: number,
  generator: TextGenerator,
  say: (text: string) => void,
): Promise<ServiceUnderTest> {
  const service = await ServiceUnderTest.start({ KINDRED_BOOTSTRAP_KEY: BOOTSTRAP, API_KEY_PEPPER: PEPPER, ...settings });
  say(`Writing ${rows} projects ...`);
  for (let row = 0; row < rows; row += 20) {
    const batch = Array.from({ length: Math.min(20, rows - row) }, () =>
      service.exchange('POST', '/api/v1/projects', generator.project(PROJECT_TOKENS), BEARER),
    );
    await Promise.all(batch);
  }
  await service.untilIndexed(BEARER);
  return service;
}

const BEARER = { authorization: `Bearer ${BOOTSTRAP}` };
const search = (generator: TextGenerator) => ({ query: generator.query(QUERY_TOKENS), top_k: 5 });

/** Calls `work` so often a second, whether what it began before has ended or not (an open loop), and waits for all of it. */
async function atRate(perSecond: number, seconds: number, work: () => Promise<void>): Promise<void> {
  const running: Promise<void>[] = [];
  const startedMs = performance.now();
  for (let begun = 0; begun < perSecond * seconds;) {
    const due = Math.min(perSecond * seconds, Math.ceil(((performance.now() - startedMs) / 1_000) * perSecond));
    for (; begun < due; begun++) running.push(work());
    await delay(1);
  }
  await Promise.all(running);
}

async function measureProbes(service: ServiceUnderTest, generator: TextGenerator): Promise<GuardFigures['probes']> {
  const figures = { quiet: new Durations(), loaded: new Durations() };
  const probe = (into: Durations) => async () => {
    const { status, durationMs } = await service.exchange('GET', '/readyz');
    if (status !== 200) throw new Error(`A probe was answered with ${status}`);
    into.add(durationMs);
  };
  await atRate(PROBES_PER_SECOND, PROBE_SECONDS, probe(figures.quiet));
  await Promise.all([
    atRate(PROBE_SEARCHES_PER_SECOND, PROBE_SECONDS, async () => void (await service.exchange('POST', SEARCH, search(generator)))),
    atRate(PROBES_PER_SECOND, PROBE_SECONDS, probe(figures.loaded)),
  ]);
  return figures;
}

/** One request at a time, the kinds in turn, so that all see the same weather. A path that does as little as possible behind the door. */
async function measureAuth(service: ServiceUnderTest): Promise<GuardFigures['auth']> {
  const make = async (fields: object): Promise<string> => {
    const { text } = await service.exchange('POST', KEYS, { name: 'bench', scopes: ['read'], ...fields }, BEARER);
    return (JSON.parse(text) as { key: string }).key;
  };
  const kinds = {
    none: {},
    key: { authorization: `Bearer ${await make({})}` },
    limited: { authorization: `Bearer ${await make({ rate_limit_per_minute: 10_000_000 })}` },
  };
  const figures = { none: new Durations(), key: new Durations(), limited: new Durations() };
  for (let round = 0; round < AUTH_ROUNDS; round++) {
    for (const kind of ['none', 'key', 'limited'] as const) {
      const { status, durationMs } = await service.exchange('GET', '/api/v1/similarity/stats', undefined, kinds[kind]);
      if (status !== 200) throw new Error(`A request with ${kind} was answered with ${status}`);
      if (round > 100) figures[kind].add(durationMs);
    }
  }
  return figures;
}

async function measureLimit(): Promise<GuardFigures['limit']> {
  const first = await ServiceUnderTest.start({ KINDRED_BOOTSTRAP_KEY: BOOTSTRAP, API_KEY_PEPPER: PEPPER });
  const shared = { KINDRED_BOOTSTRAP_KEY: BOOTSTRAP, API_KEY_PEPPER: PEPPER, DATABASE_URL: first.databaseUrl };
  const services = [first];
  try {
    for (let process = 1; process < PROCESSES; process++) services.push(await ServiceUnderTest.start(shared));
    const { text } = await first.exchange('POST', KEYS, { name: 'bench', scopes: ['read'], rate_limit_per_minute: LIMIT }, BEARER);
    const key = { authorization: `Bearer ${(JSON.parse(text) as { key: string }).key}` };
    const counts = { allowed: 0, refused: 0 };
    const lane = async (service: ServiceUnderTest): Promise<void> => {
      for (let request = 0; request < (LIMIT * 1.5) / (PROCESSES * 8); request++) {
        const { status } = await service.exchange('GET', '/api/v1/projects?limit=1', undefined, key);
        counts[status === 429 ? 'refused' : 'allowed']++;
      }
    };
    await Promise.all(services.flatMap((service) => Array.from({ length: 8 }, () => lane(service))));
    return counts;
  } finally {
    for (const service of services.reverse()) await service.stop();
  }
}

async function measureWrongKeys(rows: number, generator: TextGenerator, say: (text: string) => void): Promise<GuardFigures['wrongKeys']> {
  const service = await filled({ AUTH: 'required', RATE_LIMIT_ADDRESS_PER_MINUTE: '0', RATE_LIMIT_PER_MINUTE: '0' }, rows, generator, say);
  const figures = { letIn: 0, quiet: new Durations(), attacked: new Durations() };
  const good = (into: Durations) => async () =>
    void into.add((await service.exchange('POST', SEARCH, search(generator), BEARER)).durationMs);
  try {
    await atRate(QUIET_SEARCHES_PER_SECOND, 10, good(figures.quiet));
    let tried = 0;
    const attack = async (): Promise<void> => {
      while (tried++ < WRONG_KEYS) {
        const guess = `kdr_${'0'.repeat(12 - String(tried).length)}${tried}_${'a'.repeat(64)}_00000000`;
        const { status } = await service.exchange('GET', '/api/v1/projects', undefined, { authorization: `Bearer ${guess}` });
        if (status !== 401 && status !== 429) figures.letIn++;
        await delay(8);
      }
    };
    const attackers = Promise.all(Array.from({ length: 8 }, attack));
    let isOver = false;
    void attackers.then(() => (isOver = true));
    while (!isOver) await atRate(QUIET_SEARCHES_PER_SECOND, 1, good(figures.attacked));
    await attackers;
    return figures;
  } finally {
    await service.stop();
  }
}

async function measureOverload(
  service: ServiceUnderTest,
  generator: TextGenerator,
  say: (text: string) => void,
): Promise<GuardFigures['overload']> {
  // Made before: making texts costs the generator more than sending them.
  const texts = Array.from({ length: 20_000 }, () => search(generator));
  let next = 0;
  const peakPerSecond = await peakOf(service, () => texts[next++ % texts.length]!);
  const offered = Math.round(peakPerSecond * OVERLOAD_FACTOR);
  say(`  ${peakPerSecond.toFixed(0)} a second at most; offering ${offered} ...`);
  const turnedAway = new Durations();
  let [good, failed] = [0, 0];
  const startedMs = performance.now();
  await atRate(offered, OVERLOAD_SECONDS, async () => {
    const outcome: Exchange | null = await service.exchange('POST', SEARCH, texts[next++ % texts.length]!).catch(() => null);
    if (outcome === null) failed++;
    else if (outcome.status === 200) good++;
    else if (outcome.status === 503 || outcome.status === 429) turnedAway.add(outcome.durationMs);
    else failed++;
  });
  const seconds = (performance.now() - startedMs) / 1_000;
  return { peakPerSecond, goodPerSecond: good / seconds, offeredPerSecond: offered, turnedAway, failed };
}

/** Searches a second with so many in flight that more does not help. */
async function peakOf(service: ServiceUnderTest, next: () => object): Promise<number> {
  let done = 0;
  const untilMs = performance.now() + 8_000;
  const lane = async (): Promise<void> => {
    while (performance.now() < untilMs) {
      if ((await service.exchange('POST', SEARCH, next())).status === 200) done++;
    }
  };
  await Promise.all(Array.from({ length: 16 }, lane));
  return done / 8;
}

async function measureStops(rows: number, generator: TextGenerator, say: (text: string) => void): Promise<GuardFigures['stops']> {
  const durations = new Durations();
  let [clean, failedRequests] = [0, 0];
  for (let round = 0; round < STOPS; round++) {
    // As in the container image, but shorter: connections are closed by answers before the port is.
    const service = await filled({ SHUTDOWN_DELAY_MS: '1000' }, Math.min(rows, 100), generator, () => undefined);
    let isStopping = false;
    const lane = async (): Promise<void> => {
      for (;;) {
        const begunBefore = !isStopping;
        try {
          const { status } = await service.exchange('POST', SEARCH, search(generator));
          if (status !== 200) failedRequests++;
        } catch (error) {
          // Nothing listens any more: the request was never in flight.
          if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED' || begunBefore) failedRequests++;
          return;
        }
      }
    };
    const lanes = Promise.all(Array.from({ length: 8 }, lane));
    await delay(500);
    isStopping = true;
    const { exitCode, durationMs } = await service.stop();
    durations.add(durationMs);
    if (exitCode === 0) clean++;
    await lanes;
    say(`  ${round + 1} of ${STOPS}: exit code ${exitCode} after ${durationMs.toFixed(0)} ms, ${failedRequests} failed requests so far`);
  }
  return { clean, failedRequests, durations };
}

const ms = (value: number): string => `${value.toFixed(2)} ms`;
const verdict = (isMet: boolean): string => (isMet ? 'met' : 'NOT MET');

/** A table with the goal beside each figure. */
export function renderGuard({ probes, auth, limit, wrongKeys, overload, stops }: GuardFigures): string {
  const authCost = auth.key.p50 - auth.none.p50;
  const limitCost = auth.limited.p50 - auth.key.p50;
  const share = overload.goodPerSecond / overload.peakPerSecond;
  const lines = [
    ['probe p99, quiet', ms(probes.quiet.p99), '', ''],
    [`probe p99 beside ${PROBE_SEARCHES_PER_SECOND} searches/s`, ms(probes.loaded.p99), '<= 5 ms', verdict(probes.loaded.p99 <= 5)],
    ['a key adds, p50', ms(authCost), '<= 0.3 ms', verdict(authCost <= 0.3)],
    ['a limit adds to that, p50', ms(limitCost), '<= 1 ms', verdict(limitCost <= 1)],
    [
      `allowed of ${LIMIT} over ${PROCESSES} processes`,
      `${limit.allowed} (${limit.refused} refused)`,
      '+- 2 %',
      verdict(Math.abs(limit.allowed / LIMIT - 1) <= 0.02),
    ],
    [`let in of ${WRONG_KEYS} wrong keys`, String(wrongKeys.letIn), '0', verdict(wrongKeys.letIn === 0)],
    [
      'search p99 meanwhile',
      `${ms(wrongKeys.attacked.p99)} (quiet ${ms(wrongKeys.quiet.p99)})`,
      '<= 2 x',
      verdict(wrongKeys.attacked.p99 <= 2 * wrongKeys.quiet.p99),
    ],
    [
      `searches/s at ${OVERLOAD_FACTOR} x capacity`,
      `${overload.goodPerSecond.toFixed(0)} of ${overload.peakPerSecond.toFixed(0)} (${(100 * share).toFixed(0)} %), offered ${overload.offeredPerSecond}`,
      '>= 70 %',
      verdict(share >= 0.7),
    ],
    [
      'turned away within, p95',
      `${ms(overload.turnedAway.p95)} (${overload.turnedAway.count})`,
      '<= 50 ms',
      verdict(overload.turnedAway.p95 <= 50),
    ],
    ['neither answered nor turned away', String(overload.failed), '0', verdict(overload.failed === 0)],
    [
      'orderly ends under load',
      `${stops.clean} of ${STOPS}, slowest ${ms(stops.durations.percentile(100))}`,
      `${STOPS}, <= 20 s`,
      verdict(stops.clean === STOPS && stops.durations.percentile(100) <= 20_000),
    ],
    ['requests in flight that failed then', String(stops.failedRequests), '0', verdict(stops.failedRequests === 0)],
  ];
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((line) => line[column]!.length)));
  return `${lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')}\n`;
}
