import { follow } from './follow.js';
import { ServiceError } from './service-error.js';

describe('follow', () => {
  const away = new ServiceError('Nothing answers', null, { isPassing: true });

  /** Looks that a test prescribes, and a clock that goes on by the pauses. */
  async function followed(looks: readonly (string | Error)[]) {
    const seen: string[] = [];
    let nowMs = 0;
    let count = 0;
    const result = follow<string>({
      look: async () => {
        const outcome = looks[Math.min(count++, looks.length - 1)]!;
        if (outcome instanceof Error) throw outcome;
        return outcome;
      },
      isOver: (reply) => reply === 'done',
      show: (reply) => seen.push(reply),
      showAway: () => seen.push('away'),
      wait: async (ms) => (nowMs += ms),
      monotonicMs: () => nowMs,
    });
    return { outcome: await result.catch((error: unknown) => error), seen, nowMs };
  }

  it('asks until it is over', async () => {
    expect(await followed(['queued', 'running', 'done'])).toMatchObject({ outcome: 'done', seen: ['queued', 'running'] });
  });

  it('bears a service that is away for a while, again and again', async () => {
    const gap = Array.from({ length: 50 }, () => away);
    const { outcome, seen } = await followed(['a', ...gap, 'b', ...gap, 'done']);
    expect(outcome).toBe('done');
    expect(seen.filter((text) => text !== 'away')).toEqual(['a', 'b']);
  });

  it('gives up after half a minute, and at once where the service refuses', async () => {
    const { outcome, nowMs } = await followed(['a', away]);
    expect([outcome, nowMs]).toEqual([away, 30_000]);
    const refused = new ServiceError('No such job', 'jobs.not-found');
    expect(await followed(['a', refused])).toMatchObject({ outcome: refused, nowMs: 500 });
  });
});
