import type { RelayCounts } from '#sync';
import { RelayProgress } from './relay-progress.js';

describe('RelayProgress', () => {
  let nowMs: number;
  let progress: RelayProgress;
  beforeEach(() => {
    nowMs = 0;
    progress = new RelayProgress(() => nowMs);
  });

  const counts = (synced: number, others: Partial<RelayCounts> = {}): RelayCounts =>
    ({ synced, skipped: 0, deleted: 0, purged: 0, superseded: 0, dead: 0, failed: 0, ...others }) as RelayCounts;
  const look = (atSeconds: number, ended: RelayCounts, pending: number | null, isRunning = true) => {
    nowMs = atSeconds * 1_000;
    return progress.look({ isRunning, counts: ended }, pending);
  };

  it('is idle while nothing waits, however long', () => {
    look(0, counts(5), 0);
    expect(look(3_600, counts(5), 0)).toEqual({ state: 'idle', pending: 0, secondsWithoutProgress: 0 });
  });

  it('works as long as some entry comes to an end within a minute', () => {
    look(0, counts(0), 10);
    expect(look(59, counts(1), 9).state).toBe('working');
    expect(look(118, counts(1, { dead: 1 }), 8)).toEqual({ state: 'working', pending: 8, secondsWithoutProgress: 0 });
  });

  it('is stalled when entries wait and nothing has come of any for a minute; failed attempts are no progress', () => {
    look(0, counts(3), 2);
    expect(look(59, counts(3, { failed: 4 }), 2)).toEqual({ state: 'working', pending: 2, secondsWithoutProgress: 59 });
    expect(look(60, counts(3, { failed: 9 }), 2)).toEqual({ state: 'stalled', pending: 2, secondsWithoutProgress: 60 });
    expect(look(61, counts(4), 1).state).toBe('working');
  });

  it('counts from the moment at which something began to wait', () => {
    look(0, counts(3), 0);
    look(600, counts(3), 0);
    expect(look(602, counts(3), 1)).toEqual({ state: 'working', pending: 1, secondsWithoutProgress: 2 });
  });

  it('says nothing of a backlog that is not known, and nothing of the relay of another process', () => {
    look(0, counts(3), 2);
    expect(look(90, counts(3), null)).toEqual({ state: 'working', pending: null, secondsWithoutProgress: 0 });
    expect(look(91, counts(3), 2, false).state).toBe('elsewhere');
  });
});
