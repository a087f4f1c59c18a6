import type { Clock } from '#kernel';
import { ProviderGate } from './provider-gate.js';
import { ProviderRamp } from './provider-ramp.js';
import type { RelayStatus } from './relay-status.js';

/** How long a write must be ago to say nothing about the store any more. */
const STORE_SUCCESS_MAX_AGE_MS = 60_000;

/** What the relay of this process knows of the store and the embedders: whether they may be called, and how much at a time. */
export class RelayProviders {
  /** Closed while the vector store is away. */
  readonly storeGate: ProviderGate;
  /** Brings the store back to full load after that. */
  readonly storeRamp: ProviderRamp;
  /** Closed while the store is full: deletes go on. */
  readonly upsertGate: ProviderGate;
  private readonly embedderGates = new Map<string, ProviderGate>();
  private lastStoreSuccessMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly clock: Clock,
    private readonly random: () => number,
  ) {
    this.storeGate = new ProviderGate(clock, random);
    this.storeRamp = new ProviderRamp(this.storeGate);
    this.upsertGate = new ProviderGate(clock, random);
  }

  /** Closed while the embedder of that model is away, or has asked for a pause: generations with another model are not held up. */
  embedderGate(modelRev: string): ProviderGate {
    const gate = this.embedderGates.get(modelRev) ?? new ProviderGate(this.clock, this.random);
    this.embedderGates.set(modelRev, gate);
    return gate;
  }

  /** The store has taken a write. */
  noteStoreSuccess(): void {
    this.lastStoreSuccessMs = this.clock.monotonicMs();
  }

  /** Whether the store has taken a write within the last minute: only then does a write that it did not answer speak against the entry. */
  get hasStoreSucceededLately(): boolean {
    return this.clock.monotonicMs() - this.lastStoreSuccessMs < STORE_SUCCESS_MAX_AGE_MS;
  }

  /** @param batchSize of a full batch */
  status(batchSize: number): Pick<RelayStatus, 'store' | 'embedders'> {
    const { storeGate, storeRamp, upsertGate } = this;
    return {
      store: {
        phase: storeRamp.phase,
        pausedForMs: storeGate.remainingMs,
        batchLimit: storeRamp.batchLimit(batchSize),
        upsertsPausedForMs: upsertGate.remainingMs,
      },
      embedders: [...this.embedderGates]
        .filter(([, gate]) => gate.isClosed)
        .map(([modelRev, gate]) => ({ modelRev, pausedForMs: gate.remainingMs })),
    };
  }
}
