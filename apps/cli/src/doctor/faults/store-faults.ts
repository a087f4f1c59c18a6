import { VectorStoreError, type VectorStore } from '#vector-store';
import { setTimeout as delay } from 'node:timers/promises';
import { FAULT_TIMINGS } from './scratch-place.js';
import type { SeededRandom } from './seeded-random.js';

/**
 * - `dropped`: the write never arrives
 * - `reply-lost`: it is applied, and nobody hears of it
 * - `late`: its sender gives up, and it arrives behind newer ones
 * - `doubled`: it arrives a second time, behind newer ones
 * - `delayed`: it takes a while
 * - `read-failed`: a read is not answered
 */
export const STORE_FAULTS = ['dropped', 'reply-lost', 'late', 'doubled', 'delayed', 'read-failed'] as const;
export type StoreFault = (typeof STORE_FAULTS)[number];

/** Of each kind of fault, per call. */
const SHARE = 0.08;
/** A write arrives within its time-out or never: what the protocol assumes of a store (assumption A). */
const LATEST_MS = FAULT_TIMINGS.writeTimeoutMs - 100;

const WRITES = ['upsert', 'delete'] as const;
const READS = ['retrieve', 'scroll', 'countByBucket'] as const;

type Call = (...parameters: unknown[]) => Promise<unknown>;

/** Makes the calls of a store go wrong, of its own accord the same ones for the same seed and order of calls. */
export class StoreFaults {
  isOn = true;

  constructor(
    private readonly random: SeededRandom,
    private readonly onFault: (fault: StoreFault) => void,
  ) {}

  /** Puts itself between the engine and this store, which is otherwise the one of production. */
  install(store: VectorStore): void {
    const methods = store as unknown as Record<string, Call>;
    for (const name of WRITES) {
      const call = methods[name]!.bind(store);
      methods[name] = (...parameters) => this.write(call, parameters);
    }
    for (const name of READS) {
      const call = methods[name]!.bind(store);
      methods[name] = (...parameters) => this.read(call, parameters);
    }
  }

  private async write(call: Call, parameters: unknown[]): Promise<unknown> {
    switch (this.draw(['dropped', 'reply-lost', 'late', 'doubled', 'delayed'])) {
      case 'dropped':
        throw unanswered();
      case 'reply-lost':
        await call(...parameters);
        throw unanswered();
      case 'late':
        this.afterwards(call, parameters);
        throw unanswered();
      case 'doubled': {
        const reply = await call(...parameters);
        this.afterwards(call, parameters);
        return reply;
      }
      case 'delayed':
        await delay(this.random.below(LATEST_MS) / 2);
        return call(...parameters);
      default:
        return call(...parameters);
    }
  }

  private async read(call: Call, parameters: unknown[]): Promise<unknown> {
    if (this.draw(['read-failed']) !== null) throw unanswered();
    return call(...parameters);
  }

  /** The signal of the call is not handed on: its sender is gone, and it arrives all the same. */
  private afterwards(call: Call, [collection, content]: unknown[]): void {
    const waitMs = this.random.below(LATEST_MS);
    setTimeout(() => void call(collection, content).catch(() => undefined), waitMs);
  }

  private draw(faults: readonly StoreFault[]): StoreFault | null {
    if (!this.isOn) return null;
    const fault = faults[Math.floor(this.random.next() / SHARE)] ?? null;
    if (fault !== null) this.onFault(fault);
    return fault;
  }
}

function unanswered(): VectorStoreError {
  return new VectorStoreError('unavailable', 'A fault of the drill: no answer');
}
