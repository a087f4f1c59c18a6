/** Lets at most `size` requests run at a time; the others wait in order of arrival. */
export class RequestSlots {
  private readonly waiting = new Set<() => void>();
  private free: number;

  constructor(size: number) {
    this.free = size;
  }

  get waitingCount(): number {
    return this.waiting.size;
  }

  /**
   * Runs the request when it is its turn.
   *
   * @throws the signal's reason when it aborts before that; what the request throws
   */
  async run<T>(signal: AbortSignal, request: () => Promise<T>): Promise<T> {
    await this.take(signal);
    try {
      return await request();
    } finally {
      this.giveBack();
    }
  }

  private async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.free > 0) {
      this.free--;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const turn = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.waiting.delete(turn);
        reject(signal.reason as Error);
      };
      this.waiting.add(turn);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  private giveBack(): void {
    const [next] = this.waiting;
    if (next === undefined) {
      this.free++;
      return;
    }
    this.waiting.delete(next);
    next();
  }
}
