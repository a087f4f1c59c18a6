import type { RelayUnitOfWork } from '#database';
import type { StoredPoint, VectorStore } from '#vector-store';
import { Logger } from '@nestjs/common';
import type { IndexGeneration } from '../generations/index-generation.js';
import { enterUnknownPoints } from '../ledger/enter-unknown-points.js';
import { getEntries, listEntries, type LedgerEntry } from '../ledger/list-entries.js';
import { markPending, type Suspect } from '../ledger/mark-pending.js';
import { lastVersion, raiseVersionSequence } from '../ledger/raise-version-sequence.js';
import { pause } from '../pause.js';
import { judge } from './judge.js';
import { mergeJoin } from './merge-join.js';

/** Entries and points per page; with both sides, about 2 MB. */
const PAGE_SIZE_DEFAULT = 1_000;
const LOCKED_RETRY_MS = 50;

export interface ComparisonResult {
  /** Ids that are in both or in either. */
  readonly compared: number;
  /** Entries that the relay will write again. */
  readonly marked: number;
  /** Points without an entry, which the relay will delete or write. */
  readonly entered: number;
}

interface Difference {
  readonly entry: LedgerEntry | null;
  readonly point: StoredPoint | null;
}

/**
 * Compares the index with the ledger, id by id, and marks what differs, so that a snapshot that is old, damaged or gone costs time and no data.
 *
 * For a store that may lose what it had acknowledged, before anything is written to it. Reads only ids, revs and hashes; embeds nothing.
 */
export class LocalIndexComparison {
  private readonly logger = new Logger('LocalIndexComparison');

  constructor(
    private readonly unitOfWork: RelayUnitOfWork,
    private readonly store: VectorStore,
    private readonly pageSize = PAGE_SIZE_DEFAULT,
  ) {}

  /** Compares the whole generation. Safe while writers are at work, and idempotent; stops between two ids when the signal aborts. */
  async run(generation: IndexGeneration, signal?: AbortSignal): Promise<ComparisonResult> {
    let compared = 0;
    let marked = 0;
    let entered = 0;
    let highestRev = 0;
    let differences: Difference[] = [];
    const flush = async (): Promise<void> => {
      await this.assureSequenceAbove(generation, highestRev);
      const result = await this.apply(generation, differences, signal);
      marked += result.marked;
      entered += result.entered;
      differences = [];
    };
    const pairs = mergeJoin(
      this.entries(generation.id),
      this.points(generation.collection),
      ({ sourceId }) => sourceId,
      ({ id }) => id,
    );
    for await (const { left: entry, right: point } of pairs) {
      signal?.throwIfAborted();
      compared++;
      if (point !== null) highestRev = Math.max(highestRev, point.payload.rev);
      if (judge(entry, point) !== 'same') differences.push({ entry, point });
      if (differences.length >= this.pageSize) await flush();
    }
    await flush();
    if (marked + entered > 0) {
      this.logger.warn(
        `The index of generation ${generation.id} differed from the ledger: ${marked} entries marked, ${entered} unknown points, of ${compared}`,
      );
    } else {
      this.logger.log(`The index of generation ${generation.id} agrees with the ledger (${compared} ids)`);
    }
    return { compared, marked, entered };
  }

  /** A point that is newer than every version means that the database was restored from an older copy (protocol rule 10). */
  private async assureSequenceAbove(generation: IndexGeneration, highestRev: number): Promise<void> {
    const last = await lastVersion(this.unitOfWork);
    if (highestRev <= last) return;
    this.logger.error(
      `The index of generation ${generation.id} holds rev ${highestRev}, but the database has given out ${last} only: it was restored from an older copy. Versions are moved above it.`,
    );
    await raiseVersionSequence(this.unitOfWork, highestRev);
  }

  /** Marks until nothing is left: what a writer has locked or changed meanwhile is looked at again. */
  private async apply(
    generation: IndexGeneration,
    differences: readonly Difference[],
    signal?: AbortSignal,
  ): Promise<{ marked: number; entered: number }> {
    let marked = 0;
    let entered = 0;
    let open = differences;
    while (open.length > 0) {
      signal?.throwIfAborted();
      const unknown = open.flatMap(({ entry, point }) =>
        entry === null && point !== null ? [{ id: point.id, rev: point.payload.rev }] : [],
      );
      const suspects = open.flatMap(({ entry, point }): Suspect[] =>
        entry === null ? [] : [{ sourceId: entry.sourceId, seenVersion: entry.version, pointRev: point?.payload.rev ?? null }],
      );
      const done = new Set(await enterUnknownPoints(this.unitOfWork, generation.id, unknown));
      entered += done.size;
      for (const id of await markPending(this.unitOfWork, generation.id, suspects, { states: ['synced', 'pending', 'tombstone'] })) {
        done.add(id);
        marked++;
      }
      const left = open.map(({ entry, point }) => entry?.sourceId ?? point!.id).filter((id) => !done.has(id));
      if (left.length === 0) break;
      await pause(LOCKED_RETRY_MS, signal);
      open = await this.lookAgain(generation, left);
    }
    return { marked, entered };
  }

  private async lookAgain(generation: IndexGeneration, ids: readonly string[]): Promise<Difference[]> {
    const entries = new Map((await getEntries(this.unitOfWork, generation.id, ids)).map((entry) => [entry.sourceId, entry]));
    const points = new Map((await this.store.retrieve(generation.collection, ids)).map((point) => [point.id, point]));
    return ids
      .map((id) => ({ entry: entries.get(id) ?? null, point: points.get(id) ?? null }))
      .filter(({ entry, point }) => judge(entry, point) !== 'same');
  }

  private async *entries(generationId: number): AsyncGenerator<LedgerEntry> {
    for (let after: string | null = null; ;) {
      const page: LedgerEntry[] = await listEntries(this.unitOfWork, generationId, after, this.pageSize);
      yield* page;
      if (page.length < this.pageSize) return;
      after = page.at(-1)!.sourceId;
    }
  }

  private async *points(collection: string): AsyncGenerator<StoredPoint> {
    for (let after: string | undefined; ;) {
      const page = await this.store.scroll(collection, { limit: this.pageSize, after });
      yield* page.points;
      if (page.next === null) return;
      after = page.next;
    }
  }
}
