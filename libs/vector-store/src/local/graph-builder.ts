import type { LocalCollection } from './local-collection.js';

/** Time of one slice: what a query may have to wait for the build. */
const SLICE_MS = 2;

/** Builds graphs in the gaps between messages, in slices. */
export class GraphBuilder {
  private isRunning = false;
  private isStopped = false;

  constructor(private readonly collections: () => Iterable<LocalCollection>) {}

  /** Starts building when there is work. Call it after every change. */
  wake(): void {
    if (this.isRunning || this.isStopped) return;
    this.isRunning = true;
    setImmediate(() => this.slice());
  }

  /** Builds no more: the thread is about to end, and must not be inside native code then. */
  stop(): void {
    this.isStopped = true;
  }

  private slice(): void {
    if (this.isStopped) return;
    for (const collection of this.collections()) {
      if (!collection.hasGraphWork()) continue;
      collection.buildGraph(SLICE_MS);
      // Immediates run after the messages that have arrived, so queries overtake the build.
      setImmediate(() => this.slice());
      return;
    }
    this.isRunning = false;
  }
}
