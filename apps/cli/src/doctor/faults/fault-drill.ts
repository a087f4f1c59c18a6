import { BackupError, BackupRestorer, BackupWriter } from '#backup';
import type { KindredConfig } from '#config';
import { CopyConnection } from '#database';
import { SystemIdGenerator } from '#kernel';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { FaultChild } from './fault-child.js';
import type { FaultReport } from './fault-report.js';
import { FaultTally } from './fault-tally.js';
import { FaultWorkload } from './fault-workload.js';
import { FAULT_TIMINGS, scratchEnvironment, type ScratchPlace } from './scratch-place.js';
import { SeededRandom } from './seeded-random.js';

export interface FaultDrillOptions {
  readonly seed: number;
  /** `null` = until the time is over. */
  readonly rounds: number | null;
  readonly durationMs: number | null;
  readonly onStep: (step: string) => void;
}

/** Processes die so many times a round, after so long. */
const DEATHS_PER_ROUND = 3;
const SHORTEST_LIFE_MS = 300;
const LIFE_SPREAD_MS = 1_500;
const FREEZE_SHARE = 0.3;
const WRITE_PAUSE_MS = 5;
const LAST_WRITES_MS = 2_000;
/** In every third round the database is put back to a backup of its beginning. */
const RESTORE_EVERY = 3;
const RESTORE_TRIES = 20;
const RESTORE_PAUSE_MS = 500;
const SEED_SPAN = 2 ** 31;

/** Breaks the engine in a scratch place, round after round, and looks after each whether everything holds. */
export class FaultDrill {
  private readonly random: SeededRandom;
  private readonly tally = new FaultTally();
  private readonly environment: Record<string, string>;
  private readonly children = new Set<FaultChild>();

  constructor(
    private readonly place: ScratchPlace,
    private readonly config: KindredConfig,
    private readonly options: FaultDrillOptions,
  ) {
    this.random = new SeededRandom(options.seed);
    this.environment = scratchEnvironment(place);
  }

  async run(): Promise<FaultReport> {
    const { rounds, durationMs, seed } = this.options;
    const startedMs = performance.now();
    const connection = await CopyConnection.open(this.place.databaseUrl, 'kindred-faults');
    try {
      await connection.replace((session) => session.migrateTo('all'));
      const workload = new FaultWorkload(connection.session, this.random);
      for (let round = 1; rounds === null || round <= rounds; round++) {
        if (durationMs !== null && performance.now() - startedMs >= durationMs) break;
        await this.round(round, workload, connection);
      }
      return this.tally.report({
        seed,
        writes: workload.writes,
        elapsedMs: performance.now() - startedMs,
        store: this.config.vectorStore.kind,
      });
    } finally {
      await Promise.all([...this.children].map((child) => child.kill()));
      const collections = await collectionsOf(connection).finally(() => connection.close());
      await this.dropCollections(collections);
    }
  }

  private async round(round: number, workload: FaultWorkload, connection: CopyConnection): Promise<void> {
    const isRestored = round % RESTORE_EVERY === 0;
    const folder = join(this.place.folder, `backup-${round}`);
    const remembered = workload.remember();
    if (isRestored) await this.backUp(connection, folder);
    await this.disturb(round, workload);
    if (isRestored) {
      this.options.onStep(`Round ${round}: putting the database back`);
      await this.restore(connection, folder);
      workload.goBackTo(remembered);
      this.tally.count('restored');
    }
    // Writes end while it works, so that a pass that was overtaken by the last write of a row is among what is looked at.
    const last = this.start();
    const stop = new AbortController();
    const writing = this.writeUntil(stop.signal, workload);
    // Heard of at the end: until then a failure must not end the whole process, which has a place to clean up.
    writing.catch(() => undefined);
    try {
      await last.ready();
      await delay(LAST_WRITES_MS);
    } finally {
      stop.abort();
      await writing;
    }
    this.options.onStep(`Round ${round}: coming to rest, and looking at everything`);
    this.tally.judge(await last.check(), await workload.differences());
    await last.stop();
    this.children.delete(last);
  }

  /** Writes go on while processes die and freeze, one after the other, or two at a time where the store is shared. */
  private async disturb(round: number, workload: FaultWorkload): Promise<void> {
    const stop = new AbortController();
    const writing = this.writeUntil(stop.signal, workload);
    writing.catch(() => undefined);
    try {
      const lanes = this.config.vectorStore.kind === 'qdrant' ? 2 : 1;
      await Promise.all(Array.from({ length: lanes }, () => this.killAgainAndAgain(round)));
    } finally {
      stop.abort();
      await writing;
    }
  }

  private async killAgainAndAgain(round: number): Promise<void> {
    for (let death = 1; death <= DEATHS_PER_ROUND; death++) {
      this.options.onStep(`Round ${round}: process ${death} of ${DEATHS_PER_ROUND}, with a store that drops, doubles and delays`);
      const child = this.start();
      await child.ready();
      await delay(SHORTEST_LIFE_MS + this.random.below(LIFE_SPREAD_MS));
      if (this.random.next() < FREEZE_SHARE) {
        child.freeze();
        await delay(FAULT_TIMINGS.leaseMs + this.random.below(FAULT_TIMINGS.leaseMs));
        child.thaw();
        this.tally.count('frozen');
        await delay(this.random.below(LIFE_SPREAD_MS));
      }
      await child.kill();
      this.children.delete(child);
      this.tally.count('killed');
    }
  }

  private async writeUntil(signal: AbortSignal, workload: FaultWorkload): Promise<void> {
    while (!signal.aborted) {
      await workload.write();
      await delay(WRITE_PAUSE_MS);
    }
  }

  private start(): FaultChild {
    const child = new FaultChild(this.environment, this.random.below(SEED_SPAN), (fault) => this.tally.count(fault));
    this.children.add(child);
    return child;
  }

  private async backUp(connection: CopyConnection, folder: string): Promise<void> {
    const parts = { connection, ids: new SystemIdGenerator(), kindredVersion: 'fault drill', readErasureLog: async () => [] };
    await new BackupWriter(parts).write(folder);
  }

  private async restore(connection: CopyConnection, folder: string): Promise<void> {
    const restorer = new BackupRestorer({ connection, reapplyErasures: async () => 0, record: async () => undefined });
    for (let tries = 1; ; tries++) {
      try {
        await restorer.restore(folder, { isForced: true });
        return;
      } catch (error) {
        // The server takes a moment to notice that a process was killed.
        if (!(error instanceof BackupError) || tries === RESTORE_TRIES) throw error;
        await delay(RESTORE_PAUSE_MS);
      }
    }
  }

  /** The local index lies in the folder, which is removed as a whole. */
  private async dropCollections(collections: readonly string[]): Promise<void> {
    const { qdrantUrl, qdrantApiKey, searchTimeoutMs } = this.config.vectorStore;
    if (qdrantUrl === null) return;
    const { QdrantVectorStore } = await import('#vector-store');
    const store = new QdrantVectorStore({
      url: qdrantUrl,
      apiKey: qdrantApiKey,
      searchTimeoutMs,
      writeTimeoutMs: this.config.sync.writeTimeoutMs,
    });
    await store.open();
    for (const name of collections) if (name.startsWith(this.place.name)) await store.drop(name);
    await store.close();
  }
}

async function collectionsOf({ session }: CopyConnection): Promise<string[]> {
  const { rows } = await session.query<{ collection: string }>('SELECT collection FROM index_generations');
  return rows.map(({ collection }) => collection);
}
