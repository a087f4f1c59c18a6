import { HookedVectorStore, waitFor } from '#testing';
import type { StoredPoint } from '#vector-store';
import {
  DatabaseIndexDirectory,
  RetiredCollections,
  textHashOf,
  type GenerationGateParts,
  type GenerationManager,
  type GenerationRecord,
  type GenerationSupervisor,
  type GenerationSupervisorParts,
  type IndexRelay,
} from '../src/index.js';
import { SyncHarness } from './sync-harness.js';

export interface BenchOptions {
  readonly store?: HookedVectorStore;
  readonly gate?: Partial<GenerationGateParts>;
  readonly supervisor?: Partial<GenerationSupervisorParts>;
  /** Of the removal of retired generations. Default 100,000. */
  readonly graceMs?: number;
}

/** One process: a relay and a supervisor that run, and an operator's manager. */
export class GenerationBench {
  private constructor(
    readonly harness: SyncHarness,
    readonly relay: IndexRelay,
    readonly supervisor: GenerationSupervisor,
    readonly manager: GenerationManager,
    readonly retired: RetiredCollections,
  ) {}

  /** A harness with its first generation serving, and a process on it. */
  static async create(options: BenchOptions = {}): Promise<GenerationBench> {
    return GenerationBench.on(await SyncHarness.create(options.store), options);
  }

  /** Another process on the same database and index. */
  static on(harness: SyncHarness, options: BenchOptions = {}): GenerationBench {
    const relay = harness.newRelay();
    const { relayUnitOfWork } = harness.database;
    const retired = new RetiredCollections(relayUnitOfWork, harness.store, harness.leases, harness.alias, options.graceMs ?? 100_000);
    const supervisor = harness.newSupervisor(relay, { retired, ...options.supervisor });
    const manager = harness.newManager(relay, supervisor, options.gate);
    relay.start();
    supervisor.start();
    return new GenerationBench(harness, relay, supervisor, manager, retired);
  }

  directory(): DatabaseIndexDirectory {
    const { catalog, clock, database, embedders } = this.harness;
    return new DatabaseIndexDirectory(database.unitOfWork, catalog, embedders, this.relay, clock);
  }

  /** Waits until the generation is filled and nothing is pending. */
  async built(id: number): Promise<GenerationRecord> {
    await waitFor(
      async () => {
        const { isFilled, entries } = await this.manager.progress(id);
        return isFilled && entries.pending === 0;
      },
      { what: `generation ${id} to be built`, timeoutMs: 20_000 },
    );
    return this.manager.get(id);
  }

  async points(collection: string): Promise<StoredPoint[]> {
    return (await this.harness.store.scroll(collection, { limit: 100_000 })).points;
  }

  /** Rows of which the collection does not have exactly the content, and points without a row. */
  async differences({ collection, modelRev, templateRev }: GenerationRecord): Promise<string[]> {
    const { rows } = await this.harness.database.query<{ id: string; description: string }>('SELECT id, description FROM projects');
    const points = new Map((await this.points(collection)).map((point) => [point.id, point]));
    const differing = rows.filter(({ id, description }) => {
      const hash = textHashOf(modelRev, templateRev, description).toString('hex');
      const isEqual = points.get(id)?.payload.text_hash === hash && points.get(id)?.payload.model_rev === modelRev;
      points.delete(id);
      return !isEqual;
    });
    return [...differing.map(({ id }) => id), ...points.keys()];
  }

  /** The process ends; what it held in leases is let go, as a clean stop does. */
  async stop(): Promise<void> {
    await this.manager.stop();
    await this.supervisor.stop();
    await this.relay.stop(0);
  }

  async close(): Promise<void> {
    await this.stop();
    await this.harness.close();
  }
}
