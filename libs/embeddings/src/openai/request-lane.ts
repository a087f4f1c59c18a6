import type { EmbedderLane } from '../embedder-activity.js';
import { RunDurations } from '../run-durations.js';

/** Counts the requests of one kind of texts. */
export class RequestLane {
  private running = 0;
  private failed = 0;
  private readonly runs = new RunDurations();

  /** Sends the request, and counts it. */
  async send<T>(request: () => Promise<T>): Promise<T> {
    const startedMs = performance.now();
    this.running++;
    try {
      const reply = await request();
      this.runs.observe(performance.now() - startedMs);
      return reply;
    } catch (error) {
      this.failed++;
      throw error;
    } finally {
      this.running--;
    }
  }

  snapshot(waiting: number): EmbedderLane {
    const { running, failed, runs } = this;
    return { waiting, running, failed, runs: runs.snapshot() };
  }
}
