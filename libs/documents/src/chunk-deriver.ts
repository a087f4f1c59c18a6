import { RelayUnitOfWork } from '#database';
import { Clock, DomainError, RepeatedMessages } from '#kernel';
import { IndexDirectory } from '#sync';
import { Injectable, Logger } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { claimUnchunked, releaseUnchunked, type UnchunkedDocument } from './claim-unchunked.js';
import { DocumentChunker, type CutDocuments } from './document-chunker.js';
import { holdCollections } from './hold-collections.js';
import { noteChunkingFailure } from './note-chunking-failure.js';
import { noteChunkingModel } from './note-chunking-model.js';
import { markChunked, rewriteChunks } from './rewrite-chunks.js';

/** Documents of one claim: some megabytes at most, and none waits long for the others. */
const BATCH_SIZE = 16;
/** Longer than chunking a batch of the longest documents takes; a process that dies leaves them for so long. */
const LEASE_MS = 30_000;
/** As the relay: quick enough that a raw insert is searchable within a second, and an idle process asks once a second. */
const POLL_MINIMUM_MS = 100;
const POLL_MAXIMUM_MS = 1_000;
/** A document that cannot be cut has a defect that no haste will mend. */
const RETRY_AFTER_FAILURE_MS = 300_000;

const STILL_OPEN = `
SELECT d.id FROM documents d JOIN unnest($1::uuid[], $2::int[]) AS read (id, version) ON read.id = d.id AND read.version = d.version
WHERE d.chunked_version IS DISTINCT FROM d.version ORDER BY d.id FOR UPDATE OF d`;

/**
 * Makes the chunks of documents that have none of their present version, also after raw SQL: a trigger cannot, for it has no tokenizer.
 *
 * Any number of processes may run it. Chunks are made without a transaction, and written with the mark of their version in one.
 */
@Injectable()
export class ChunkDeriver {
  private readonly logger = new Logger(ChunkDeriver.name);
  private readonly messages: RepeatedMessages;
  private stopping = new AbortController();
  private waiting: AbortController | null = null;
  private isWoken = false;
  private loop: Promise<void> | null = null;

  constructor(
    private readonly unitOfWork: RelayUnitOfWork,
    private readonly chunker: DocumentChunker,
    private readonly directory: IndexDirectory,
    clock: Clock,
  ) {
    this.messages = new RepeatedMessages(clock);
  }

  /** Works in the background until {@link stop}; a second call does nothing. */
  start(): void {
    if (this.loop !== null) return;
    this.stopping = new AbortController();
    this.loop = this.work(this.stopping.signal);
  }

  /** Ends after the batch that is being made. Idempotent; never rejects. */
  async stop(): Promise<void> {
    this.stopping.abort();
    this.wake();
    await this.loop;
    this.loop = null;
  }

  /** Makes a running deriver look at once. Cheap; never throws. */
  wake(): void {
    this.isWoken = true;
    this.waiting?.abort();
  }

  /**
   * Claims one batch and makes its chunks. @returns how many documents were claimed
   *
   * @throws DomainError `search.not-ready`, `search.embedder-unavailable`, `database.unavailable`
   */
  async runOnce(): Promise<number> {
    await this.noteModel();
    const documents = await claimUnchunked(this.unitOfWork, BATCH_SIZE, LEASE_MS);
    if (documents.length === 0) return 0;
    try {
      await this.store(documents, await this.chunker.chunk(documents));
    } catch (error) {
      if (isPassing(error)) await this.giveBack(documents, error);
      await this.isolate(documents);
    }
    this.directory.wake();
    return documents.length;
  }

  /** One by one: the others of the batch are no worse for the one that fails. */
  private async isolate(documents: readonly UnchunkedDocument[]): Promise<void> {
    for (const [index, one] of documents.entries()) {
      try {
        await this.store([one], await this.chunker.chunk([one]));
      } catch (error) {
        if (isPassing(error)) await this.giveBack(documents.slice(index), error);
        const reason = error instanceof Error ? error.message : String(error);
        this.logger.error(`Document ${one.document.id} cannot be cut into chunks: ${reason}`);
        await noteChunkingFailure(this.unitOfWork, one.document, reason, RETRY_AFTER_FAILURE_MS);
      }
    }
  }

  /** A model that is away is said by the cutting, and only when there is something to cut. */
  private async noteModel(): Promise<void> {
    try {
      await noteChunkingModel(this.unitOfWork, await this.chunker.modelRev(), this.stopping.signal);
    } catch (error) {
      if (!isPassing(error)) throw error;
    }
  }

  /** @throws the error, which is what matters */
  private async giveBack(documents: readonly UnchunkedDocument[], error: unknown): Promise<never> {
    try {
      await releaseUnchunked(this.unitOfWork, documents);
    } catch {
      // The database is away as well: they are free when the lease is over.
    }
    throw error;
  }

  private async store(documents: readonly UnchunkedDocument[], { chunks, modelRev }: CutDocuments): Promise<void> {
    const versions = new Map(documents.map(({ settings }) => [settings.id, settings.version]));
    await this.unitOfWork.run(async (session) => {
      const current = await holdCollections(session, versions, modelRev);
      const made = documents.filter(({ settings }) => current.has(settings.id));
      const { rows } = await session.query<{ id: string }>(STILL_OPEN, [
        made.map(({ document }) => document.id),
        made.map(({ document }) => document.version),
      ]);
      const open = rows.map(({ id }) => id);
      const old = documents.filter(({ settings }) => !current.has(settings.id));
      await releaseUnchunked(session, old);
      if (open.length === 0) return;
      const isOpen = new Set(open);
      await rewriteChunks(
        session,
        open,
        chunks.flat().filter(({ documentId }) => isOpen.has(documentId)),
      );
      await markChunked(session, open);
    });
  }

  private async work(signal: AbortSignal): Promise<void> {
    let pauseMs = POLL_MINIMUM_MS;
    while (!signal.aborted) {
      try {
        if ((await this.runOnce()) > 0) {
          pauseMs = POLL_MINIMUM_MS;
          continue;
        }
      } catch (error) {
        pauseMs = POLL_MAXIMUM_MS;
        this.warn(error);
      }
      if (await this.pause(pauseMs)) pauseMs = POLL_MINIMUM_MS;
      else pauseMs = Math.min(2 * pauseMs, POLL_MAXIMUM_MS);
    }
  }

  /** @returns whether somebody has woken it */
  private async pause(durationMs: number): Promise<boolean> {
    this.waiting = new AbortController();
    try {
      // Woken while it worked: the commit may have been too late for that look.
      if (this.isWoken) return true;
      await delay(durationMs, undefined, { ref: false, signal: this.waiting.signal });
      return false;
    } catch {
      return true;
    } finally {
      this.waiting = null;
      this.isWoken = false;
    }
  }

  private warn(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    const message = this.messages.pass(reason, `Chunks cannot be made now, trying again: ${reason}`);
    if (message !== null) this.logger.warn(message);
  }
}

/** Whether waiting cures it; anything else is the fault of a document. */
function isPassing(error: unknown): boolean {
  return error instanceof DomainError && error.definition.retryable;
}
