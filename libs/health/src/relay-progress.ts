import type { RelayStatus } from '#sync';

/** `elsewhere` = another process carries the changes; `stalled` = changes wait, and nothing has come of any for a while. */
export type RelayState = 'elsewhere' | 'idle' | 'working' | 'stalled';

export interface RelayHealth {
  readonly state: RelayState;
  /** Rows whose change has not reached the serving indexes; `null` = not known. */
  readonly pending: number | null;
  /** Since the relay last came to an end with an entry while some waited; 0 unless they wait. */
  readonly secondsWithoutProgress: number;
}

/** A provider that is away is paused for half a minute at a time; what is quiet for longer than that has another reason, or has lasted long enough to be told. */
const STALLED_AFTER_MS = 60_000;

/** Judges by repeated looks whether the relay of this process gets on with what waits. */
export class RelayProgress {
  private seen = -1;
  private sinceMs = 0;

  constructor(private readonly monotonicMs: () => number) {}

  /** @param pending `null` = not known now: then nothing is said of progress */
  look({ isRunning, counts }: Pick<RelayStatus, 'isRunning' | 'counts'>, pending: number | null): RelayHealth {
    const nowMs = this.monotonicMs();
    const ended = counts.synced + counts.skipped + counts.deleted + counts.purged + counts.superseded + counts.dead;
    if (ended !== this.seen || pending === 0) {
      this.seen = ended;
      this.sinceMs = nowMs;
    }
    const waitedMs = pending === null || pending === 0 ? 0 : nowMs - this.sinceMs;
    return { state: this.stateOf(isRunning, pending, waitedMs), pending, secondsWithoutProgress: Math.floor(waitedMs / 1_000) };
  }

  private stateOf(isRunning: boolean, pending: number | null, waitedMs: number): RelayState {
    if (!isRunning) return 'elsewhere';
    if (waitedMs >= STALLED_AFTER_MS) return 'stalled';
    return pending === 0 ? 'idle' : 'working';
  }
}
