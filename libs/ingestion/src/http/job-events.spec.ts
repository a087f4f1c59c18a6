import { jobEvents } from './job-events.js';

const collect = async (events: AsyncGenerator<string>, most = 100): Promise<string[]> => {
  const texts: string[] = [];
  for await (const text of events) {
    texts.push(text);
    if (texts.length === most) break;
  }
  return texts;
};

describe('jobEvents', () => {
  const follow = (states: readonly string[], options: { heartbeatMs?: number; signal?: AbortSignal } = {}) => {
    let looks = 0;
    const look = async () => ({ state: states[Math.min(looks++, states.length - 1)]! });
    const isOver = ({ state }: { state: string }): boolean => state === 'done';
    return jobEvents({ look, isOver, signal: new AbortController().signal, lookEveryMs: 1, ...options });
  };

  it('sends what has changed, each state in full, and the end as the last', async () => {
    expect(await collect(follow(['queued', 'queued', 'running', 'running', 'done']))).toEqual([
      'retry: 2000\n\n',
      'event: progress\ndata: {"state":"queued"}\n\n',
      'event: progress\ndata: {"state":"running"}\n\n',
      'event: end\ndata: {"state":"done"}\n\n',
    ]);
  });

  it('says now and then that it is still there', async () => {
    const texts = await collect(follow(['queued'], { heartbeatMs: 3 }), 4);
    expect(texts.slice(2)).toEqual([': still here\n\n', ': still here\n\n']);
  });

  it('ends without a word when the process stops', async () => {
    const stopping = new AbortController();
    const texts: string[] = [];
    for await (const text of follow(['queued'], { signal: stopping.signal })) {
      texts.push(text);
      if (texts.length === 2) stopping.abort();
    }
    expect(texts).toHaveLength(2);
  });
});
