import { SharedFlights } from '#kernel';
import { LRUCache } from 'lru-cache';
import type { Embedding, EmbedOptions } from './embedder.js';
import type { QueryCacheStatistics } from './embedder-activity.js';

/**
 * Queries that are remembered. With 384 dimensions an entry takes about 1.7 kB, so a full cache stays near 20 MB; search boxes and dashboards
 * repeat far fewer different texts than this between two restarts.
 */
const REMEMBERED_QUERIES = 10_000;

/** Longer texts are not remembered: people do not type them twice, and as keys they would make the cache's size unknowable. */
const LONGEST_REMEMBERED_CHARACTERS = 1_024;

/** Embeds a text once for all that ask for it at the same time; the signal aborts when nobody waits any more. */
type Compute = (text: string, signal: AbortSignal) => Promise<Embedding>;

/**
 * Remembers query vectors by text (least recently used goes first) and lets equal texts in flight share one run.
 *
 * Every caller gets a vector of its own, so that writing into it harms nobody. Failures are not remembered.
 */
export class QueryCache {
  private readonly remembered: LRUCache<string, Embedding>;
  private readonly flights = new SharedFlights<Embedding>();
  private hits = 0;
  private misses = 0;
  private era = 0;

  constructor(
    private readonly compute: Compute,
    capacity = REMEMBERED_QUERIES,
  ) {
    this.remembered = new LRUCache({ max: capacity });
  }

  /**
   * Returns the embedding of the text from memory, from the run in flight, or from a new run.
   *
   * @throws what the run throws; the signal's reason when this caller gives up, which leaves the other callers of the text alone
   */
  async get(text: string, { signal }: EmbedOptions = {}): Promise<Embedding> {
    signal?.throwIfAborted();
    const known = this.remembered.get(text);
    if (known !== undefined) {
      this.hits++;
      return copyOf(known);
    }
    return copyOf(await this.flights.run(text, (shared) => this.computeAndRemember(text, shared), signal));
  }

  stats(): QueryCacheStatistics {
    return { hits: this.hits, joined: this.flights.joined, misses: this.misses, size: this.remembered.size };
  }

  /** Forgets all texts; those that are being embedded at this moment are not remembered either. */
  clear(): void {
    this.era++;
    this.remembered.clear();
  }

  private async computeAndRemember(text: string, signal: AbortSignal): Promise<Embedding> {
    this.misses++;
    const { era } = this;
    const embedding = await this.compute(text, signal);
    if (text.length <= LONGEST_REMEMBERED_CHARACTERS && era === this.era) this.remembered.set(text, embedding);
    return embedding;
  }
}

function copyOf({ vector, tokens, isTruncated }: Embedding): Embedding {
  return { vector: vector.slice(), tokens, isTruncated };
}
