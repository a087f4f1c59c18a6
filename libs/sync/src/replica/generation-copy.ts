import type { UnitOfWork } from '#database';
import { RepeatedMessages, type Clock } from '#kernel';
import type { SearchReplica, StoredPoint } from '#vector-store';
import { Logger } from '@nestjs/common';
import { mergeJoin } from '../comparison/merge-join.js';
import type { IndexGeneration } from '../generations/index-generation.js';
import type { IndexSource } from '../index-source.js';
import { getEntries, listEntries, type LedgerEntry } from '../ledger/list-entries.js';
import { CopyWriter, type CopyDifference } from './copy-writer.js';
import { hasMorePoints } from './has-more-points.js';
import { judgeCopy } from './judge-copy.js';
import { listRecorded, type RecordedPosition } from './list-recorded.js';
import { readPosition } from './read-position.js';

/** Ids per page; with rows and vectors of 384 dimensions, about 2 MB. */
const PAGE_SIZE = 500;
/** Records are committed within milliseconds of their time, as a rule … */
const OVERLAP_MS = 2_000;
/** … and those of a transaction that was held up are found by a wider look, every so often. */
const WIDE_OVERLAP_MS = 60_000;
const WIDE_EVERY_MS = 15_000;
/** What even that misses (a process that was stopped between record and commit) is found by a whole comparison. */
const COMPARE_EVERY_MS = 600_000;
/** The age of the oldest pending change reads all that is pending: at most once a second, and for a twentieth of the time. */
const PENDING_EVERY_MS = 1_000;
const PENDING_SHARE = 20;
/** An index that has too many points is looked at again after this time, and copied again when it is well below the limit. */
const SIZE_EVERY_MS = 60_000;
const SIZE_HYSTERESIS = 0.9;

export interface GenerationCopyParts {
  readonly unitOfWork: UnitOfWork;
  readonly replica: SearchReplica;
  readonly clock: Clock;
  readonly messages: RepeatedMessages;
  /** After a longer time without a look, tombstones may have come and gone: everything is compared, and only what differs is written. Milliseconds. */
  readonly gapMs: number;
}

/** The copy of one generation: compared with the ledger as a whole at first and after gaps, and then kept by following what relays record. */
export class GenerationCopy {
  private readonly logger = new Logger('ReplicaFollower');
  private readonly writer: CopyWriter;
  /** The database's time of the last look; `null` = everything has to be compared. */
  private cursor: string | null = null;
  private lookedAtMs = 0;
  private comparedAtMs = 0;
  private lookedWideAtMs = 0;
  private pending = { readAtMs: Number.NEGATIVE_INFINITY, oldestMs: 0, costMs: 0 };
  private tooLargeAtMs: number | null = null;

  constructor(
    readonly generation: IndexGeneration,
    private readonly source: IndexSource,
    private readonly parts: GenerationCopyParts,
  ) {
    this.writer = new CopyWriter(parts.unitOfWork, parts.replica.store, generation, source);
    parts.replica.setState(generation.collection, 'building');
  }

  /** Whether nothing more can be expected of it now: it can answer, or may not. */
  get isSettled(): boolean {
    return this.tooLargeAtMs !== null || this.cursor !== null;
  }

  /** The store has lost points: nothing is known of the copy until it is compared again. */
  lose(): void {
    this.cursor = null;
    if (this.tooLargeAtMs === null) this.parts.replica.setState(this.generation.collection, 'building');
  }

  /** Brings the copy in step with the ledger; returns how many points changed. Repeats nothing that is there already. */
  async advance(signal: AbortSignal): Promise<number> {
    const { clock, gapMs, replica, unitOfWork } = this.parts;
    const startedAtMs = clock.monotonicMs();
    if (this.tooLargeAtMs !== null && startedAtMs - this.tooLargeAtMs < SIZE_EVERY_MS) return 0;
    // The age first: what is recorded after it is younger, and what was recorded before it is seen below.
    const position = await readPosition(unitOfWork, this.generation.id, this.isPendingDue(startedAtMs));
    if (position.oldestPendingMs !== null)
      this.pending = { readAtMs: startedAtMs, oldestMs: position.oldestPendingMs, costMs: clock.monotonicMs() - startedAtMs };
    const isWhole = this.cursor === null || startedAtMs - this.lookedAtMs > gapMs || startedAtMs - this.comparedAtMs > COMPARE_EVERY_MS;
    if (isWhole && (await this.isTooLarge(startedAtMs))) return 0;
    const changed = isWhole ? await this.compare(signal) : await this.follow(this.cursor!, startedAtMs, signal);
    if (isWhole) this.comparedAtMs = this.lookedWideAtMs = startedAtMs;
    this.cursor = position.now;
    this.lookedAtMs = startedAtMs;
    if (changed > 0 && (await this.hasOutgrown(startedAtMs))) return changed;
    replica.setInStep(this.generation.collection, { readAtMs: this.pending.readAtMs, oldestPendingMs: this.pending.oldestMs });
    return changed;
  }

  private isPendingDue(nowMs: number): boolean {
    return nowMs - this.pending.readAtMs >= Math.max(PENDING_EVERY_MS, PENDING_SHARE * this.pending.costMs);
  }

  private async isTooLarge(nowMs: number): Promise<boolean> {
    const { maxPoints } = this.parts.replica;
    const limit = this.tooLargeAtMs === null ? maxPoints : Math.floor(maxPoints * SIZE_HYSTERESIS);
    if (!(await hasMorePoints(this.parts.unitOfWork, this.generation.id, limit))) {
      if (this.tooLargeAtMs !== null) this.parts.replica.setState(this.generation.collection, 'building');
      this.tooLargeAtMs = null;
      return false;
    }
    await this.giveUp(nowMs);
    return true;
  }

  private async hasOutgrown(nowMs: number): Promise<boolean> {
    const { store, maxPoints } = this.parts.replica;
    if ((await store.count(this.generation.collection)) <= maxPoints) return false;
    await this.giveUp(nowMs);
    return true;
  }

  private async giveUp(nowMs: number): Promise<void> {
    const { replica } = this.parts;
    const { collection } = this.generation;
    this.cursor = null;
    if (this.tooLargeAtMs === null) {
      this.logger.warn(
        `The index ${collection} has more than ${replica.maxPoints} points (VECTOR_FALLBACK_MAX_POINTS): there is no copy of it, and searches fail while Qdrant is away`,
      );
    }
    this.tooLargeAtMs = nowMs;
    replica.setState(collection, 'too-large');
    await replica.store.drop(collection);
  }

  /** Both sides by id; writes only what differs. */
  private async compare(signal: AbortSignal): Promise<number> {
    const { collection, dimensions, id, source } = this.generation;
    const { store } = this.parts.replica;
    await store.ensureIndex({
      name: collection,
      dimensions,
      payloadIndexes: this.source.payloadIndexes,
      metadata: { source, generation: id },
    });
    const pairs = mergeJoin(
      this.entries(),
      this.points(),
      ({ sourceId }) => sourceId,
      (point) => point.id,
    );
    let compared = 0;
    let changed = 0;
    let differences: CopyDifference[] = [];
    for await (const { left: entry, right: point } of pairs) {
      signal.throwIfAborted();
      compared++;
      const verdict = judgeCopy(entry, point);
      if (verdict !== 'same') differences.push({ sourceId: entry?.sourceId ?? point!.id, verdict });
      if (differences.length < PAGE_SIZE) continue;
      changed += await this.apply(differences);
      differences = [];
    }
    changed += await this.apply(differences);
    if (this.cursor === null)
      this.logger.log(`The copy of ${collection} is complete: ${changed} points written or removed, of ${compared}`);
    return changed;
  }

  /** What relays have recorded since the last look, and a while before. */
  private async follow(since: string, nowMs: number, signal: AbortSignal): Promise<number> {
    const { replica, unitOfWork } = this.parts;
    const { collection, id } = this.generation;
    const isWide = nowMs - this.lookedWideAtMs > WIDE_EVERY_MS;
    const window = { since, overlapMs: isWide ? WIDE_OVERLAP_MS : OVERLAP_MS };
    let changed = 0;
    for (let after: RecordedPosition | null = null; ;) {
      signal.throwIfAborted();
      const page = await listRecorded(unitOfWork, id, window, after, PAGE_SIZE);
      const points = new Map((await replica.store.retrieve(collection, page.sourceIds)).map((point) => [point.id, point]));
      const entries = new Map((await getEntries(unitOfWork, id, page.sourceIds)).map((entry) => [entry.sourceId, entry]));
      const differences = page.sourceIds.flatMap((sourceId): CopyDifference[] => {
        const verdict = judgeCopy(entries.get(sourceId) ?? null, points.get(sourceId) ?? null);
        return verdict === 'same' ? [] : [{ sourceId, verdict }];
      });
      changed += await this.apply(differences);
      if (page.next === null) break;
      after = page.next;
    }
    if (isWide) this.lookedWideAtMs = nowMs;
    return changed;
  }

  private async apply(differences: readonly CopyDifference[]): Promise<number> {
    const { written, removed, withoutVector } = await this.writer.apply(differences);
    if (withoutVector > 0) {
      const message = this.parts.messages.pass(
        `without-vector:${this.generation.collection}`,
        `${withoutVector} rows of ${this.generation.collection} have no vector in the cache, so the copy lacks them`,
      );
      if (message !== null) this.logger.warn(message);
    }
    return written + removed;
  }

  private async *entries(): AsyncGenerator<LedgerEntry> {
    for (let after: string | null = null; ;) {
      const page: LedgerEntry[] = await listEntries(this.parts.unitOfWork, this.generation.id, after, PAGE_SIZE);
      yield* page;
      if (page.length < PAGE_SIZE) return;
      after = page.at(-1)!.sourceId;
    }
  }

  private async *points(): AsyncGenerator<StoredPoint> {
    for (let after: string | undefined; ;) {
      const page = await this.parts.replica.store.scroll(this.generation.collection, { limit: PAGE_SIZE, after });
      yield* page.points;
      if (page.next === null) return;
      after = page.next;
    }
  }
}
