import type { Clock } from './clock.js';

const WINDOW_DEFAULT_MS = 60_000;
/** Keys are few by design; a caller that makes them of data must not fill the memory. */
const KEYS_MAXIMUM = 1_000;

interface Window {
  readonly startedMs: number;
  suppressed: number;
}

/** Lets the same message through once a minute, with the number of times that it was held back. */
export class RepeatedMessages {
  private readonly windows = new Map<string, Window>();

  constructor(
    private readonly clock: Clock,
    private readonly windowMs = WINDOW_DEFAULT_MS,
  ) {}

  /**
   * Returns the message to log, or `null` when it is held back.
   *
   * @param key names the message; what differs between two of the same key is lost while they are held back
   */
  pass(key: string, message: string): string | null {
    const nowMs = this.clock.monotonicMs();
    const known = this.windows.get(key);
    if (known !== undefined && nowMs - known.startedMs < this.windowMs) {
      known.suppressed++;
      return null;
    }
    if (this.windows.size >= KEYS_MAXIMUM) this.windows.clear();
    this.windows.set(key, { startedMs: nowMs, suppressed: 0 });
    return known === undefined || known.suppressed === 0 ? message : `${message} (${known.suppressed} more times since the last message)`;
  }

  /** The trouble is over: the next message of the key passes. Returns how many were held back. */
  clear(key: string): number {
    const suppressed = this.windows.get(key)?.suppressed ?? 0;
    this.windows.delete(key);
    return suppressed;
  }
}
