import type { LocalEngine } from './local-engine.js';

/** A snapshot may take this share of the time at most: a large collection under steady writes is written less often. */
const MAX_SHARE = 1 / 20;

/** Writes collections that have changed, again and again. */
export class SnapshotSchedule {
  private timer: NodeJS.Timeout | null = null;
  private isStopped = false;

  /** @param onFailure told about each snapshot that could not be written; the next one is tried all the same */
  constructor(
    private readonly engine: LocalEngine,
    private readonly intervalMs: number,
    private readonly onFailure: (collection: string, error: unknown) => void,
  ) {}

  start(): void {
    this.wait(this.intervalMs);
  }

  stop(): void {
    this.isStopped = true;
    if (this.timer !== null) clearTimeout(this.timer);
  }

  /** Writes what has changed since it was last written. Never rejects. */
  async writeDirty(): Promise<void> {
    for (const collection of [...this.engine.all()]) {
      if (!this.engine.isDirty(collection)) continue;
      try {
        await this.engine.snapshot(collection);
      } catch (error) {
        this.onFailure(collection.name, error);
      }
    }
  }

  private wait(delayMs: number): void {
    if (!this.isStopped) this.timer = setTimeout(() => void this.turn(), delayMs);
  }

  private async turn(): Promise<void> {
    const startedMs = performance.now();
    await this.writeDirty();
    this.wait(Math.max(this.intervalMs, (performance.now() - startedMs) / MAX_SHARE));
  }
}
