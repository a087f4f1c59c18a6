import { DomainError } from '#kernel';
import { EmbedTask } from './embed-task.js';
import { LaneCounters, type LaneStatistics } from './lane-statistics.js';
import type { EncodedText } from './sentence-encoder.js';
import { TaskQueue } from './task-queue.js';
import type { Lane, WorkerMessage } from './worker-protocol.js';
import { WorkerSlot, type SpawnThread } from './worker-slot.js';

/** One document runs, one waits in the thread: the thread never idles for the hop of a message, and little is lost with a thread that dies. */
const DOCUMENTS_PER_THREAD = 2;

/**
 * Threads that one query is offered to when all are busy; the first that is free takes it. More would make the wait hardly shorter, but each
 * offer is a message.
 */
const OFFERS_PER_QUERY = 4;

/**
 * How long after a query one of several threads takes no documents, so that the next query finds it free. A run cannot be interrupted, and on a machine with as many
 * threads as cores even the wait for its end is longer than most queries take. Bulk work beside searches is slower by that.
 */
const RESERVED_MS = 1_000;

export interface PoolStatistics {
  readonly queries: LaneStatistics;
  readonly documents: LaneStatistics;
  readonly workers: { readonly configured: number; readonly ready: number; readonly restarts: number };
}

/** One text in the pool. */
export interface PoolRun {
  readonly result: Promise<EncodedText>;
  /** Rejects the result, and drops the text if no thread has begun with it. Does nothing when the result is there. */
  abort(reason: Error): void;
}

/**
 * Spreads texts over threads, one text per run: a query goes to the next free thread, before any document that waits.
 *
 * A query waits for the rest of one document at most (and for queries before it): it is offered to several threads at once and claimed by the
 * first that is free. For {@link RESERVED_MS} after it, one thread is kept free of documents. Documents are handed out one by one. A text whose thread dies is
 * tried on one other thread.
 */
export class EmbeddingWorkerPool {
  private readonly slots: WorkerSlot[];
  /** Documents that no thread has been sent. */
  private readonly documents = new TaskQueue();
  /** Queries for which no thread is ready; those offered to threads are not here. */
  private readonly homelessQueries = new TaskQueue();
  private readonly unsettled = new Set<EmbedTask>();
  private readonly counters: Record<Lane, LaneCounters> = { query: new LaneCounters(), document: new LaneCounters() };
  private readinessWaiters: { resolve: () => void; reject: (reason: Error) => void }[] = [];
  private lastNumber = 0;
  private lastQueryMs = -Infinity;
  private isStarted = false;
  private isClosed = false;

  /** @param size number of threads, at least 1 */
  constructor(size: number, spawn: SpawnThread) {
    const events = {
      ready: (slot: WorkerSlot) => this.onReady(slot),
      answered: (slot: WorkerSlot, message: Exclude<WorkerMessage, { type: 'ready' }>) => this.onAnswer(slot, message),
      died: (offered: readonly EmbedTask[], workerNumber: number) => this.onDeath(offered, workerNumber),
    };
    this.slots = Array.from({ length: size }, () => new WorkerSlot(spawn, () => ++this.lastNumber, events));
  }

  /** Starts the threads. Idempotent. */
  launch(): void {
    if (this.isStarted || this.isClosed) return;
    this.isStarted = true;
    for (const slot of this.slots) slot.start();
  }

  /** Resolves when all threads that run are warm; rejects when none runs and all wait before their next start, and on close. */
  whenReady(): Promise<void> {
    if (this.isClosed) return Promise.reject(closedError());
    return new Promise<void>((resolve, reject) => {
      this.readinessWaiters.push({ resolve, reject });
      this.settleReadiness();
    });
  }

  /** Puts one text into its lane. The result rejects with DomainError `search.embedder-unavailable`, or with the reason it was aborted for. */
  run(lane: Lane, text: string): PoolRun {
    const task = new EmbedTask(++this.lastNumber, lane, text);
    if (this.isClosed) {
      task.reject(closedError());
    } else {
      this.unsettled.add(task);
      this.place(task);
    }
    return { result: task.promise, abort: (reason) => this.abort(task, reason) };
  }

  stats(): PoolStatistics {
    const lanes = { query: { waiting: 0, running: 0 }, document: { waiting: 0, running: 0 } };
    for (const task of this.unsettled) lanes[task.lane][task.claim.holder === null ? 'waiting' : 'running']++;
    return {
      queries: this.counters.query.snapshot(lanes.query.waiting, lanes.query.running),
      documents: this.counters.document.snapshot(lanes.document.waiting, lanes.document.running),
      workers: {
        configured: this.slots.length,
        ready: this.slots.filter(({ state }) => state === 'ready').length,
        restarts: this.slots.reduce((sum, { restarts }) => sum + restarts, 0),
      },
    };
  }

  /** Rejects what is in flight and ends the threads. Idempotent. */
  async close(): Promise<void> {
    this.isClosed = true;
    const closing = this.slots.map((slot) => slot.close());
    for (const task of [...this.unsettled]) this.fail(task, closedError());
    for (const waiter of this.readinessWaiters.splice(0)) waiter.reject(closedError());
    await Promise.all(closing);
  }

  private place(task: EmbedTask): void {
    if (task.lane === 'query') {
      this.lastQueryMs = performance.now();
      this.offerQuery(task);
    } else {
      this.documents.push(task);
      this.feed();
    }
    this.rejectWhenNobodyComes();
  }

  private offerQuery(task: EmbedTask): void {
    const ready = this.slots.filter(({ state }) => state === 'ready').sort((a, b) => a.load - b.load);
    if (ready.length === 0) this.homelessQueries.push(task);
    const isOneFree = ready[0]?.load === 0;
    for (const slot of ready.slice(0, isOneFree ? 1 : OFFERS_PER_QUERY)) slot.offer(task);
  }

  private feed(): void {
    const slots = this.documentSlots();
    // Level by level, so that no thread gets its second document while another has none.
    for (let level = 0; level < DOCUMENTS_PER_THREAD; level++) {
      for (const slot of slots) {
        if (slot.documentLoad > level) continue;
        const task = this.documents.take();
        if (task === null) return;
        slot.offer(task);
      }
    }
  }

  /** Where documents may go. The others work on, and look here again with every answer, so nothing waits when the last query is long ago. */
  private documentSlots(): WorkerSlot[] {
    const ready = this.slots.filter(({ state }) => state === 'ready');
    const isReserved = ready.length > 1 && performance.now() - this.lastQueryMs < RESERVED_MS;
    return isReserved ? ready.slice(0, -1) : ready;
  }

  private onReady(slot: WorkerSlot): void {
    for (const task of this.unsettled) {
      // A new thread also helps with the queries that wait for busy ones.
      if (task.lane === 'query' && task.offeredTo.size > 0 && task.claim.holder === null) slot.offer(task);
    }
    for (const task of this.homelessQueries.takeAll()) this.offerQuery(task);
    this.feed();
    this.settleReadiness();
  }

  private onAnswer(slot: WorkerSlot, message: Exclude<WorkerMessage, { type: 'ready' }>): void {
    const task = slot.find(message.id);
    if (task === undefined) return;
    task.forgetEverywhere();
    if (message.type === 'failed') {
      this.fail(task, unavailable('The model could not embed the text', new Error(message.reason)));
    } else {
      this.counters[task.lane].noteRun(message.runMs);
      this.unsettled.delete(task);
      if (!task.isSettled) task.resolve({ vector: message.vector, tokens: message.tokens, isTruncated: message.isTruncated });
    }
    this.feed();
  }

  private onDeath(offered: readonly EmbedTask[], workerNumber: number): void {
    // From the back, so that documents return to the front of their queue in the order they had.
    for (const task of [...offered].reverse()) {
      if (task.isSettled) continue;
      const wasRunning = task.claim.holder === workerNumber;
      if (wasRunning && !task.surviveDeath()) {
        task.forgetEverywhere();
        this.fail(task, unavailable('The threads that were embedding the text died', this.lastError()));
        continue;
      }
      if (wasRunning) {
        this.counters[task.lane].retried++;
        task.forgetEverywhere();
      }
      if (task.lane === 'document') this.documents.pushFront(task);
      else if (task.offeredTo.size === 0) this.offerQuery(task);
    }
    this.feed();
    this.rejectWhenNobodyComes();
    this.settleReadiness();
  }

  private abort(task: EmbedTask, reason: Error): void {
    if (task.isSettled) return;
    // Withdrawn: no thread will answer. Otherwise one is at it, and its place stays taken until it answers.
    if (task.claim.withdraw()) task.forgetEverywhere();
    this.unsettled.delete(task);
    task.reject(reason);
    this.feed();
  }

  private fail(task: EmbedTask, reason: Error): void {
    this.unsettled.delete(task);
    if (task.isSettled) return;
    this.counters[task.lane].failed++;
    task.reject(reason);
  }

  /** While every thread waits before its next start, a caller would wait for up to the longest back-off: it is better told at once. */
  private rejectWhenNobodyComes(): void {
    if (!this.isStarted || !this.slots.every(({ state }) => state === 'waiting')) return;
    for (const task of [...this.unsettled]) this.fail(task, unavailable('No embedding thread is running', this.lastError()));
  }

  private settleReadiness(): void {
    if (this.slots.some(({ state }) => state === 'starting')) return;
    if (this.slots.some(({ state }) => state === 'ready')) {
      for (const waiter of this.readinessWaiters.splice(0)) waiter.resolve();
    } else if (this.slots.every(({ state }) => state === 'waiting')) {
      const reason = unavailable('No embedding thread could be started', this.lastError());
      for (const waiter of this.readinessWaiters.splice(0)) waiter.reject(reason);
    }
  }

  private lastError(): Error | null {
    return this.slots.map(({ lastError }) => lastError).find((error) => error !== null) ?? null;
  }
}

function unavailable(detail: string, cause: Error | null): DomainError {
  return new DomainError('search.embedder-unavailable', { detail, cause: cause ?? undefined });
}

function closedError(): DomainError {
  return unavailable('The embedder is closed', null);
}
