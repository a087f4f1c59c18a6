import type { UnitOfWork } from '#database';
import type { Clock } from '#kernel';
import type { IndexGeneration } from './index-generation.js';
import { listGenerations } from './list-generations.js';

/** A switch of generation reaches every replica within this time. */
const MAX_AGE_MS = 1_000;

/** The generations, read at most once a second, and which of them this process may write to. */
export class GenerationCatalog {
  private cached: { readonly generations: readonly IndexGeneration[]; readonly readAtMs: number } | null = null;
  private reading: Promise<readonly IndexGeneration[]> | null = null;
  private epoch = 0;
  private readonly attachedIds = new Set<number>();

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /** All generations that are not retired, in ascending order of id. */
  async list(): Promise<readonly IndexGeneration[]> {
    if (this.cached !== null && this.clock.monotonicMs() - this.cached.readAtMs < MAX_AGE_MS) return this.cached.generations;
    if (this.reading !== null) return this.reading;
    const reading = this.read();
    this.reading = reading;
    try {
      return await reading;
    } finally {
      if (this.reading === reading) this.reading = null;
    }
  }

  /** Forgets what was read; also what is being read at this moment, which may already be old. */
  invalidate(): void {
    this.cached = null;
    this.reading = null;
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

  private async read(): Promise<readonly IndexGeneration[]> {
    const { epoch } = this;
    // Before the read: what it returns is at least as new as this.
    const readAtMs = this.clock.monotonicMs();
    const generations = await listGenerations(this.unitOfWork);
    if (epoch === this.epoch) this.cached = { generations, readAtMs };
    return generations;
  }
}
