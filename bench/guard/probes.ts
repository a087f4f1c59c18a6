import { Durations, timed } from '../statistics.js';
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Pool } from 'undici';
import { randomOf } from '../texts.js';
import { atRandom, atRate } from './at-rate.js';
import { milliseconds, type GuardFigure } from './guard-figure.js';
import { filledService, SEARCH, searchBody, type GuardStage } from './keyed-service.js';

const SECONDS = 15;
const SEARCHES_PER_SECOND = 50;
const PROBES_PER_SECOND = 20;
const GOAL_MS = 5;

const BARE_SERVER = fileURLToPath(new URL('./bare-server.js', import.meta.url));

/** What a probe takes while the service searches, and what it takes a process that does nothing but answer it, in the same seconds. */
export async function measureProbes(stage: GuardStage): Promise<GuardFigure[]> {
  stage.say(`Probes: ${SECONDS} s quiet, ${SECONDS} s beside ${SEARCHES_PER_SECOND} searches a second ...`);
  const service = await filledService({ RATE_LIMIT_PER_MINUTE: '0' }, stage);
  const floor = fork(BARE_SERVER);
  try {
    const port = await new Promise((resolve) => floor.once('message', resolve));
    const connections = new Pool(`http://127.0.0.1:${String(port)}`);
    const figures = { quiet: new Durations(), loaded: new Durations(), bareQuiet: new Durations(), bareLoaded: new Durations() };
    const probe = async (into: Durations): Promise<void> => {
      const { status, durationMs } = await service.exchange('GET', '/readyz');
      if (status !== 200) throw new Error(`A probe was answered with ${status}`);
      into.add(durationMs);
    };
    const bareProbe = async (into: Durations): Promise<void> =>
      into.add(await timed(async () => (await connections.request({ method: 'GET', path: '/readyz' })).body.text()));
    const both = (into: Durations, bare: Durations, seed: number): Promise<unknown> =>
      Promise.all([
        atRandom(PROBES_PER_SECOND, SECONDS, randomOf(seed), () => probe(into)),
        atRandom(PROBES_PER_SECOND, SECONDS, randomOf(seed + 1), () => bareProbe(bare)),
      ]);
    await both(figures.quiet, figures.bareQuiet, 1);
    const bodies = Array.from({ length: SEARCHES_PER_SECOND * SECONDS }, () => searchBody(stage));
    await Promise.all([
      atRate(SEARCHES_PER_SECOND, SECONDS, async () => void (await service.exchange('POST', SEARCH, bodies.pop()))),
      both(figures.loaded, figures.bareLoaded, 3),
    ]);
    await connections.destroy();
    return [
      { what: 'probe, quiet: p50, p99', measured: middleAndTail(figures.quiet), goal: '', isMet: null },
      {
        what: `probe beside ${SEARCHES_PER_SECOND} searches/s: p50, p99`,
        measured: middleAndTail(figures.loaded),
        goal: `p99 <= ${GOAL_MS} ms`,
        isMet: figures.loaded.p99 <= GOAL_MS,
      },
      { what: '  of a process that does nothing else: quiet', measured: middleAndTail(figures.bareQuiet), goal: '', isMet: null },
      { what: '  of a process that does nothing else: beside them', measured: middleAndTail(figures.bareLoaded), goal: '', isMet: null },
    ];
  } finally {
    floor.disconnect();
    await service.stop();
  }
}

const middleAndTail = ({ p50, p99 }: Durations): string => `${milliseconds(p50)}, ${milliseconds(p99)}`;
