import type { Clock } from '#kernel';
import { backoffMs } from './backoff.js';

/** A provider that is away is asked again at least this often. */
const CAP_MS = 15_000;
/** A pause of nothing would be a busy loop. */
const MINIMUM_MS = 100;

/** Keeps a provider that asked for a pause, or is away, from being called; one gate per provider. */
export class ProviderGate {
  private closedUntilMs = 0;
  private pauses = 0;

  constructor(
    private readonly clock: Clock,
    private readonly random: () => number,
  ) {}

  get isClosed(): boolean {
    return this.remainingMs > 0;
  }

  get remainingMs(): number {
    return Math.max(0, this.closedUntilMs - this.clock.monotonicMs());
  }

  /**
   * Closes the gate; failures of calls that were already under way do not lengthen the pause.
   *
   * @param retryAfterMs what the provider asked for; default: grows with each pause since the last success
   * @returns the remaining pause in milliseconds
   */
  close(retryAfterMs?: number): number {
    if (!this.isClosed) this.pauses++;
    const ownMs = MINIMUM_MS + backoffMs(this.pauses, this.random, 2 * MINIMUM_MS, CAP_MS);
    const durationMs = Math.max(MINIMUM_MS, retryAfterMs ?? (this.isClosed ? 0 : ownMs));
    this.closedUntilMs = Math.max(this.closedUntilMs, this.clock.monotonicMs() + durationMs);
    return this.remainingMs;
  }

  /** A call succeeded: the next pause is short again. */
  succeed(): void {
    this.pauses = 0;
  }
}
