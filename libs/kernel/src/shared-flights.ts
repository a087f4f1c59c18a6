interface Flight<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  waiters: number;
}

/** Lets callers of the same key, at the same time, share one run. */
export class SharedFlights<T> {
  private readonly flights = new Map<string, Flight<T>>();
  private joinedCount = 0;

  /** Calls that found a run of their key under way. */
  get joined(): number {
    return this.joinedCount;
  }

  /**
   * Returns what the run in flight gives, or a new one.
   *
   * @param compute is given a signal that aborts when nobody waits any more
   * @throws what the run throws; the signal's reason when this caller gives up, which leaves the other callers of the key alone
   */
  async run(key: string, compute: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const flight = this.join(key) ?? this.start(key, compute);
    flight.waiters++;
    if (signal === undefined) return flight.result;
    return new Promise<T>((resolve, reject) => {
      const leave = () => {
        reject(signal.reason as Error);
        if (--flight.waiters > 0) return;
        // A later caller must start anew instead of joining a run that is being given up.
        this.land(key, flight);
        flight.controller.abort(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      flight.result.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
    });
  }

  private join(key: string): Flight<T> | undefined {
    const flying = this.flights.get(key);
    if (flying !== undefined) this.joinedCount++;
    return flying;
  }

  private start(key: string, compute: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController();
    const flight: Flight<T> = { controller, waiters: 0, result: compute(controller.signal) };
    this.flights.set(key, flight);
    const land = () => this.land(key, flight);
    flight.result.then(land, land);
    return flight;
  }

  private land(key: string, flight: Flight<T>): void {
    if (this.flights.get(key) === flight) this.flights.delete(key);
  }
}
