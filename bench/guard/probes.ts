import type { ServiceUnderTest } from '../service-under-test.js';
import { Durations } from '../statistics.js';
import { atRate } from './at-rate.js';
import { milliseconds, type GuardFigure } from './guard-figure.js';
import { filledService, SEARCH, searchBody, type GuardStage } from './keyed-service.js';

const SECONDS = 15;
const SEARCHES_PER_SECOND = 50;
const PROBES_PER_SECOND = 20;
const GOAL_MS = 5;

/** What a probe takes while the service searches. */
export async function measureProbes(stage: GuardStage): Promise<GuardFigure[]> {
  stage.say(`Probes: ${SECONDS} s quiet, ${SECONDS} s beside ${SEARCHES_PER_SECOND} searches a second ...`);
  const service = await filledService({ RATE_LIMIT_PER_MINUTE: '0' }, stage);
  try {
    const quiet = new Durations();
    const loaded = new Durations();
    await atRate(PROBES_PER_SECOND, SECONDS, () => probe(service, quiet));
    const bodies = Array.from({ length: SEARCHES_PER_SECOND * SECONDS }, () => searchBody(stage));
    await Promise.all([
      atRate(SEARCHES_PER_SECOND, SECONDS, async () => void (await service.exchange('POST', SEARCH, bodies.pop()))),
      atRate(PROBES_PER_SECOND, SECONDS, () => probe(service, loaded)),
    ]);
    return [
      { what: 'probe p50 and p99, quiet', measured: `${milliseconds(quiet.p50)}, ${milliseconds(quiet.p99)}`, goal: '', isMet: null },
      {
        what: `probe p50 and p99 beside ${SEARCHES_PER_SECOND} searches/s`,
        measured: `${milliseconds(loaded.p50)}, ${milliseconds(loaded.p99)}`,
        goal: `p99 <= ${GOAL_MS} ms`,
        isMet: loaded.p99 <= GOAL_MS,
      },
    ];
  } finally {
    await service.stop();
  }
}

async function probe(service: ServiceUnderTest, into: Durations): Promise<void> {
  const { status, durationMs } = await service.exchange('GET', '/readyz');
  if (status !== 200) throw new Error(`A probe was answered with ${status}`);
  into.add(durationMs);
}
