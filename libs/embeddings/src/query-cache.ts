import { LRUCache } from 'lru-cache';
import type { Embedding, EmbedOptions } from './embedder.js';

/**
 * Queries that are remembered. With 384 dimensions an entry takes about 1.7 kB, so a full cache stays near 20 MB; search boxes and dashboards
 * repeat far fewer different texts than this between two restarts.
 */
const REMEMBERED_QUERIES = 10_000;

/** Longer texts are not remembered: people do not type them twice, and as keys they would make the cache's size unknowable. */
const LONGEST_REMEMBERED_CHARACTERS = 1_024;

export interface QueryCacheStatistics {
  readonly hits: number;
  /** Calls that joined a run of the same text. */
  readonly joined: number;
  readonly misses: number;
  readonly size: number;
}

/** Embeds a text once for all that ask for it at the same time; the signal aborts when nobody waits any more. */
type Compute = (text: string, signal: AbortSignal) => Promise<Embedding>;

interface Flight {
  readonly result: Promise<Embedding>;
  readonly controller: AbortController;
  waiters: number;
}

/**
 * Remembers query vectors by text (least recently used goes first) and lets equal texts in flight share one run.
 *
 * Every caller gets a vector of its own, so that writing into it harms nobody. Failures are not remembered.
 */
export class QueryCache {
  private readonly remembered: LRUCache<string, Embedding>;
  private readonly flights = new Map<string, Flight>();
  private hits = 0;
  private joined = 0;
  private misses = 0;

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
    return copyOf(await this.wait(this.flightOf(text), text, signal));
  }

  stats(): QueryCacheStatistics {
    return { hits: this.hits, joined: this.joined, misses: this.misses, size: this.remembered.size };
  }

  private flightOf(text: string): Flight {
    const flying = this.flights.get(text);
    if (flying !== undefined) {
      this.joined++;
      return flying;
    }
    this.misses++;
    const controller = new AbortController();
    const flight: Flight = { controller, waiters: 0, result: this.compute(text, controller.signal) };
    this.flights.set(text, flight);
    flight.result.then(
      (embedding) => {
        this.land(text, flight);
        if (text.length <= LONGEST_REMEMBERED_CHARACTERS) this.remembered.set(text, embedding);
      },
      () => this.land(text, flight),
    );
    return flight;
  }

  private async wait(flight: Flight, text: string, signal: AbortSignal | undefined): Promise<Embedding> {
    if (signal === undefined) {
      flight.waiters++;
      return flight.result;
    }
    flight.waiters++;
    return new Promise<Embedding>((resolve, reject) => {
      const leave = () => {
        reject(signal.reason as Error);
        if (--flight.waiters > 0) return;
        // A later caller must start anew instead of joining a run that is being given up.
        this.land(text, flight);
        flight.controller.abort(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      flight.result.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
    });
  }

  private land(text: string, flight: Flight): void {
    if (this.flights.get(text) === flight) this.flights.delete(text);
  }
}

function copyOf({ vector, tokens, isTruncated }: Embedding): Embedding {
  return { vector: vector.slice(), tokens, isTruncated };
}
