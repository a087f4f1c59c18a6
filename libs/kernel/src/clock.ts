/** Tells the time; injected wherever time decides something, so that tests can hold it still. */
export abstract class Clock {
  /** The wall clock. */
  abstract now(): Date;
  /** Milliseconds of a clock that never steps back; only differences mean anything. */
  abstract monotonicMs(): number;
}

export class SystemClock extends Clock {
  now(): Date {
    return new Date();
  }

  monotonicMs(): number {
    return performance.now();
  }
}
