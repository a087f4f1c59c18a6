import type { Clock } from '#kernel';

/** The lease was not there any more when it was needed: somebody else may own the entries. */
export class LeaseLostError extends Error {
  constructor() {
    super('The lease ended before the work was done');
    this.name = 'LeaseLostError';
  }
}

/**
 * The part of a claim's lease that this process may rely on: a monotonic clock that was started before the claim, so that it never outlives the
 * lease in the database (protocol, assumption A).
 */
export class Lease {
  private deadlineMs: number;
  private readonly controller = new AbortController();
  private readonly lostIds = new Set<string>();

  constructor(
    readonly token: string,
    readonly durationMs: number,
    private readonly clock: Clock,
    startedAtMs: number,
  ) {
    this.deadlineMs = startedAtMs + durationMs;
  }

  /** Aborts when the lease is lost as a whole, with a {@link LeaseLostError}, or when the relay stops. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  get remainingMs(): number {
    return Math.max(0, this.deadlineMs - this.clock.monotonicMs());
  }

  /** @param startedAtMs when the renewal was sent, which is before the database counted from */
  extend(startedAtMs: number): void {
    this.deadlineMs = Math.max(this.deadlineMs, startedAtMs + this.durationMs);
  }

  /** Gives up some entries: nothing is sent for them any more. Returns how many were not lost before. */
  lose(ids: Iterable<string>): number {
    const before = this.lostIds.size;
    for (const id of ids) this.lostIds.add(id);
    return this.lostIds.size - before;
  }

  isLost(id: string): boolean {
    return this.lostIds.has(id);
  }

  abort(reason: Error): void {
    this.controller.abort(reason);
  }
}
