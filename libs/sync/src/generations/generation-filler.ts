import type { RelayUnitOfWork } from '#database';
import { crashPoint, DomainError, type Clock } from '#kernel';
import { Logger } from '@nestjs/common';
import { enterRows } from '../ledger/enter-rows.js';
import type { IndexSource } from '../index-source.js';
import { pause } from '../pause.js';
import type { IndexGeneration } from './index-generation.js';
import { markFilled } from './mark-filled.js';
import { listOpenTransactions, listPreparedTransactions, type OpenTransaction } from './older-transactions.js';

export interface FillOptions {
  /** Ids per transaction. Default 1,000. */
  readonly batchSize?: number;
  /** Longest wait for transactions that are older than the generation; then it fails, naming them. Default 60,000. */
  readonly maxWaitMs?: number;
  /** Ends the fill between two batches. */
  readonly signal?: AbortSignal;
}

const BATCH_SIZE_DEFAULT = 1_000;
const MAX_WAIT_DEFAULT_MS = 60_000;
const LOOK_INTERVAL_MS = 50;
const LOCKED_RETRY_MS = 50;

/** Thrown when a transaction that may not know of the generation stays open. */
export class OlderTransactionsError extends Error {
  constructor(generationId: number, open: readonly OpenTransaction[]) {
    const names = open.map(({ pid, description }) => (pid === null ? description : `pid ${pid} (${description})`)).join(', ');
    super(`Generation ${generationId} cannot be filled while older transactions are open: ${names}`);
    this.name = 'OlderTransactionsError';
  }
}

/** Enters all rows of a source into the ledger of a generation (protocol rule 11). */
export class GenerationFiller {
  private readonly logger = new Logger('GenerationFiller');

  constructor(
    private readonly unitOfWork: RelayUnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Fills the generation, whose row must be committed, and records it. Idempotent, also when several processes do it or one dies half way.
   *
   * @throws OlderTransactionsError
   */
  async fill(generation: IndexGeneration, source: IndexSource, options: FillOptions = {}): Promise<void> {
    if (generation.filledAt !== null) return;
    await this.waitForOlderTransactions(generation, options);
    const batchSize = options.batchSize ?? BATCH_SIZE_DEFAULT;
    let rows = 0;
    for (let after: string | null = null; ;) {
      options.signal?.throwIfAborted();
      const ids: string[] = await this.enterBatch(generation, source, after, batchSize);
      rows += ids.length;
      crashPoint('generation.fill-batch');
      if (ids.length < batchSize) break;
      after = ids.at(-1)!;
    }
    options.signal?.throwIfAborted();
    await markFilled(this.unitOfWork, generation.id);
    crashPoint('generation.filled');
    this.logger.log(`Generation ${generation.id} of ${generation.source} is filled with ${rows} rows`);
  }

  /**
   * Waits until every transaction that began before now has ended: one of them may write rows without knowing of the generation, and its rows are
   * not visible to the fill.
   */
  private async waitForOlderTransactions(generation: IndexGeneration, options: FillOptions): Promise<void> {
    const deadlineMs = this.clock.monotonicMs() + (options.maxWaitMs ?? MAX_WAIT_DEFAULT_MS);
    for (const list of [listOpenTransactions, listPreparedTransactions]) {
      let left = await list(this.unitOfWork);
      while (left.length > 0) {
        options.signal?.throwIfAborted();
        if (this.clock.monotonicMs() > deadlineMs) throw new OlderTransactionsError(generation.id, left);
        await pause(LOOK_INTERVAL_MS, options.signal);
        const open = new Set((await list(this.unitOfWork)).map(({ id }) => id));
        left = left.filter(({ id }) => open.has(id));
      }
    }
  }

  private async enterBatch(generation: IndexGeneration, source: IndexSource, after: string | null, batchSize: number): Promise<string[]> {
    for (;;) {
      try {
        return await this.unitOfWork.run(async (session) => {
          const ids = await source.listIds(after, batchSize, session);
          if (ids.length > 0) await enterRows(session, generation.id, ids);
          return ids;
        });
      } catch (error) {
        // A writer holds one of the keys; what this batch had entered is rolled back, so the writer is not in our way either.
        if (!(error instanceof DomainError) || error.code !== 'database.busy') throw error;
        await pause(LOCKED_RETRY_MS);
      }
    }
  }
}
