import type { ProviderGate } from './provider-gate.js';

/** Entries of the batch that finds out whether a provider is back: one, so that it is one request. */
const PROBE_ENTRIES = 1;

/** A permission to send; void as soon as the gate is closed again. */
export interface RampTicket {
  readonly epoch: number;
}

/**
 * - `open`: full batches, several at a time
 * - `paused`: the provider is not called
 * - `probing`: the pause is over, and one small batch finds out whether the provider is back
 * - `ramping`: it is back; batches grow with each success
 */
export type RampPhase = 'open' | 'paused' | 'probing' | 'ramping';

/**
 * Brings a provider back to full load slowly: after a pause exactly one probe is sent; each success doubles the batch; a failure pauses again.
 *
 * While it is not `open` the caller has to keep to one batch at a time. Tickets are what stops work that began before the pause from being sent after it.
 */
export class ProviderRamp {
  private epoch = 0;
  /** Entries of the next batch; infinite = no ramp. */
  private limit = Number.POSITIVE_INFINITY;

  constructor(private readonly gate: ProviderGate) {}

  get phase(): RampPhase {
    if (this.gate.isClosed) return 'paused';
    if (this.limit === PROBE_ENTRIES) return 'probing';
    return this.limit === Number.POSITIVE_INFINITY ? 'open' : 'ramping';
  }

  /** Entries that the next batch may have, at most `batchSize`. */
  batchLimit(batchSize: number): number {
    return Math.min(this.limit, batchSize);
  }

  /** For the batch that is about to be claimed. */
  ticket(): RampTicket {
    return { epoch: this.epoch };
  }

  /** Whether what was claimed with the ticket may be sent now. */
  admits(ticket: RampTicket): boolean {
    return ticket.epoch === this.epoch && !this.gate.isClosed;
  }

  /**
   * The provider failed, or asked for a pause.
   *
   * @param retryAfterMs what the provider asked for
   * @returns the remaining pause in milliseconds
   */
  close(retryAfterMs?: number): number {
    this.epoch++;
    this.limit = PROBE_ENTRIES;
    return this.gate.close(retryAfterMs);
  }

  /** All of a batch with this ticket that was sent was taken. A ticket from before a pause says nothing about the time after it. */
  succeed(ticket: RampTicket, batchSize: number): void {
    if (ticket.epoch !== this.epoch) return;
    this.gate.succeed();
    this.limit *= 2;
    if (this.limit > batchSize) this.limit = Number.POSITIVE_INFINITY;
  }
}
