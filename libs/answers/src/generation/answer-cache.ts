import { SharedFlights } from '#kernel';
import { LRUCache } from 'lru-cache';
import type { CheckedText } from './citations.js';

const ENTRIES_MAXIMUM = 2_000;
/** Strings take two bytes a character at most. */
const BYTES_MAXIMUM = 16 * 1_024 * 1_024;
const BYTES_BESIDE_TEXT = 512;

/** Counters since the start. */
export interface AnswerCacheStatistics {
  readonly hits: number;
  /** Questions that joined one under way. */
  readonly joined: number;
  readonly misses: number;
  /** Questions for which no model was asked, of all that could be remembered; `null` = there were none yet. */
  readonly hitRate: number | null;
  readonly entries: number;
  readonly bytes: number;
}

/**
 * Remembers what a model wrote, by everything that it had to read; least recently used goes first. Equal prompts at the same time share one run.
 *
 * A changed document is a changed prompt, so nothing here is ever out of date. Failures are not remembered.
 */
export class AnswerCache {
  private readonly remembered = new LRUCache<string, CheckedText>({
    max: ENTRIES_MAXIMUM,
    maxSize: BYTES_MAXIMUM,
    sizeCalculation: ({ text }) => 2 * text.length + BYTES_BESIDE_TEXT,
  });
  private readonly flights = new SharedFlights<CheckedText>();
  private hits = 0;
  private misses = 0;
  private era = 0;

  /** @throws what the run throws; the signal's reason when this caller gives up, which leaves the others alone */
  async get(key: string, write: (signal: AbortSignal) => Promise<CheckedText>, signal: AbortSignal): Promise<CheckedText> {
    return this.find(key) ?? this.flights.run(key, (shared) => this.writeAndRemember(key, () => write(shared)), signal);
  }

  /** The same for one who listens to the text while it is written: nobody joins. */
  async getAlone(key: string, write: () => Promise<CheckedText>): Promise<CheckedText> {
    return this.find(key) ?? this.writeAndRemember(key, write);
  }

  /** Forgets all answers; those that are being written at this moment are not remembered either. */
  clear(): void {
    this.era++;
    this.remembered.clear();
  }

  stats(): AnswerCacheStatistics {
    const { hits, misses, remembered } = this;
    const { joined } = this.flights;
    const asked = hits + joined + misses;
    const hitRate = asked === 0 ? null : (hits + joined) / asked;
    return { hits, joined, misses, hitRate, entries: remembered.size, bytes: remembered.calculatedSize };
  }

  private find(key: string): CheckedText | undefined {
    const known = this.remembered.get(key);
    if (known !== undefined) this.hits++;
    return known;
  }

  private async writeAndRemember(key: string, write: () => Promise<CheckedText>): Promise<CheckedText> {
    this.misses++;
    const { era } = this;
    const written = await write();
    if (era === this.era) this.remembered.set(key, written);
    return written;
  }
}
