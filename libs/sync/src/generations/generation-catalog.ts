import type { SqlSession } from '#database';
import type { Clock } from '#kernel';
import type { IndexGeneration } from './index-generation.js';
import { listGenerations } from './list-generations.js';

/** A switch of generation reaches every replica within this time. */
const MAX_AGE_MS = 1_000;

/** The generations, read at most once a second, and which of them this process may write to. */
export class GenerationCatalog {
  private cached: { readonly generations: readonly IndexGeneration[]; readonly readAtMs: number } | null = null;
  private readonly reading = new Map<SqlSession, Promise<readonly IndexGeneration[]>>();
  private epoch = 0;
  private readonly attachedIds = new Set<number>();

  /** `session` reads for the engine. */
  constructor(
    private readonly session: SqlSession,
    private readonly clock: Clock,
  ) {}

  /**
   * All generations that are not retired, in ascending order of id.
   *
   * Requests name a session of their own pool: they share what the engine has read, but neither waits for a connection of the other.
   */
  async list(session = this.session): Promise<readonly IndexGeneration[]> {
    if (this.cached !== null && this.clock.monotonicMs() - this.cached.readAtMs < MAX_AGE_MS) return this.cached.generations;
    const underWay = this.reading.get(session);
    if (underWay !== undefined) return underWay;
    const reading = this.read(session);
    this.reading.set(session, reading);
    try {
      return await reading;
    } finally {
      if (this.reading.get(session) === reading) this.reading.delete(session);
    }
  }

  /** Forgets what was read; also what is being read at this moment, which may already be old. */
  invalidate(): void {
    this.cached = null;
    this.reading.clear();
    this.epoch++;
  }

  /** The generation's collection is known to exist and to belong to it: relays may write. */
  attach(generationId: number): void {
    this.attachedIds.add(generationId);
  }

  /** The collection was lost: nothing is written until it is attached again. */
  detach(generationId: number): void {
    this.attachedIds.delete(generationId);
  }

  /** The store was lost: nothing is written until what it has is compared. */
  detachAll(): void {
    this.attachedIds.clear();
  }

  /** Whether this process may write to the generation. */
  isAttached(generationId: number): boolean {
    return this.attachedIds.has(generationId);
  }

  async listAttached(): Promise<IndexGeneration[]> {
    if (this.attachedIds.size === 0) return [];
    return (await this.list()).filter(({ id }) => this.attachedIds.has(id));
  }

  private async read(session: SqlSession): Promise<readonly IndexGeneration[]> {
    const { epoch } = this;
    // Before the read: what it returns is at least as new as this.
    const readAtMs = this.clock.monotonicMs();
    const generations = await listGenerations(session);
    if (epoch === this.epoch) this.cached = { generations, readAtMs };
    return generations;
  }
}
