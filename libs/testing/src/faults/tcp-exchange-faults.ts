import type { InjectedTcpFault, TcpExchangeFault, TcpFaultSelection } from './tcp-proxy-mode.js';

export interface PendingTcpFault {
  readonly fault: TcpExchangeFault;
  /** To be called when the exchange has ended as the fault says. */
  readonly done: () => void;
  /** To be called when it could not happen. */
  readonly giveBack: () => void;
}

interface Entry {
  readonly fault: TcpExchangeFault;
  readonly on: (request: Buffer) => boolean;
  timesLeft: number;
  hits: number;
  readonly meet: () => void;
}

/** Faults that wait for their exchange, first come first served. */
export class TcpExchangeFaults {
  private readonly entries: Entry[] = [];

  add(fault: TcpExchangeFault, { on = () => true, times = 1 }: TcpFaultSelection): InjectedTcpFault {
    const met = Promise.withResolvers<void>();
    const entry: Entry = { fault, on, timesLeft: times, hits: 0, meet: () => met.resolve() };
    this.entries.push(entry);
    return {
      met: met.promise,
      get hits() {
        return entry.hits;
      },
      cancel: () => void this.entries.splice(this.entries.indexOf(entry), 1),
    };
  }

  clear(): void {
    this.entries.length = 0;
  }

  /** Takes the fault that hits an exchange that begins with these bytes, if any. */
  take(request: Buffer): PendingTcpFault | null {
    const entry = this.entries.find(({ on, timesLeft }) => timesLeft > 0 && on(request));
    if (entry === undefined) return null;
    entry.timesLeft--;
    return {
      fault: entry.fault,
      done: () => {
        entry.hits++;
        entry.meet();
      },
      giveBack: () => void entry.timesLeft++,
    };
  }
}
