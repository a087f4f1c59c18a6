import type { FaultSelection, InjectedFault, QdrantDoubleFault } from './qdrant-double-fault.js';

interface Entry {
  readonly fault: QdrantDoubleFault;
  readonly on: RegExp;
  readonly when: () => boolean;
  timesLeft: number;
  readonly meet: () => void;
  readonly released: Promise<void>;
}

/** The faults that wait for their requests, first come first served. */
export class FaultQueue {
  private entries: Entry[] = [];

  add(fault: QdrantDoubleFault, { on = /.*/, when = () => true, times = 1 }: FaultSelection): InjectedFault {
    const met = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    this.entries.push({ fault, on, when, timesLeft: times, meet: () => met.resolve(), released: released.promise });
    return { met: met.promise, release: () => released.resolve() };
  }

  clear(): void {
    this.entries = [];
  }

  /** Takes the fault that hits the request, if any. */
  take(request: string): { readonly fault: QdrantDoubleFault; readonly released: Promise<void> } | null {
    const entry = this.entries.find(({ on, when, timesLeft }) => timesLeft > 0 && on.test(request) && when());
    if (entry === undefined) return null;
    entry.timesLeft--;
    entry.meet();
    return entry;
  }
}
