import type { RelayUnitOfWork } from '#database';
import { RepeatedMessages, type Clock } from '#kernel';
import type { SearchReplica } from '#vector-store';
import { Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { hostname } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessMemory } from './process-memory.js';

export interface ProcessRegisterParts {
  /** Resolves when the database is connected and migrated. */
  readonly databaseReady: () => Promise<void>;
  readonly unitOfWork: RelayUnitOfWork;
  readonly memory: ProcessMemory;
  /** The copy of a remote index in this process; `null` = there is none. */
  readonly replica: SearchReplica | null;
  readonly clock: Clock;
  /** Default 1,000. */
  readonly intervalMs?: number;
}

/** A process that has not been heard of for so long has ended; one that was frozen empties its memory before it does anything else, a second after it thaws. */
export const SILENT_SECONDS = 30;
const INTERVAL_DEFAULT_MS = 1_000;
/** So often it says that it lives. */
const SIGN_OF_LIFE_MS = 5_000;

const NEWEST = 'SELECT coalesce(max(ordinal), 0) AS ordinal FROM erasures';
/* Until the relay is through, a copy of what was read before may still come into the memory. */
const IS_UNSETTLED = `
SELECT EXISTS (
  SELECT FROM erasures e JOIN index_generations g ON g.source = e.source AND g.state <> 'retired' JOIN index_ledger l ON l.generation_id = g.id
  WHERE e.state = 'pending' AND e.ordinal > $1::bigint AND l.source_id = ANY(e.point_ids)
) AS is_unsettled`;
const OPEN = `SELECT source, point_ids FROM erasures WHERE state = 'pending' AND ordinal > $1::bigint`;
const COLLECTIONS = `SELECT collection FROM index_generations WHERE source = $1 AND dropped_at IS NULL`;
const SIGN = `
INSERT INTO erasure_processes (holder, cleared_through) VALUES ($1, $2::bigint)
ON CONFLICT (holder) DO UPDATE SET seen_at = clock_timestamp(), cleared_through = EXCLUDED.cleared_through`;
const LEAVE = 'DELETE FROM erasure_processes WHERE holder = $1';
const FORGET_OLD = `DELETE FROM erasure_processes WHERE seen_at < clock_timestamp() - interval '1 day'`;

/** Empties what this process remembers whenever there is a new erasure, and says so in the database, where the erasure waits for it. */
export class ProcessRegister implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Erasures');
  private readonly messages: RepeatedMessages;
  private readonly stopping = new AbortController();
  private readonly holder = `${hostname()}:${process.pid}`;
  private background: Promise<void> = Promise.resolve();
  private clearedThrough = -1;
  private signedAtMs = Number.NEGATIVE_INFINITY;

  constructor(private readonly parts: ProcessRegisterParts) {
    this.messages = new RepeatedMessages(parts.clock);
  }

  onApplicationBootstrap(): void {
    this.background = this.run();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort(new Error('The process is stopping'));
    await this.background;
  }

  /** Looks once; returns whether something was emptied. */
  async runOnce(): Promise<boolean> {
    const { unitOfWork, memory, clock } = this.parts;
    const { rows } = await unitOfWork.query<{ ordinal: string }>(NEWEST);
    const newest = Number(rows[0]!.ordinal);
    const hasNew = newest > this.clearedThrough;
    if (hasNew) memory.forget();
    const isThrough = hasNew && (await this.isSettled()) && (await this.isCopyFree());
    if (!isThrough && clock.monotonicMs() - this.signedAtMs < SIGN_OF_LIFE_MS) return false;
    if (isThrough) this.clearedThrough = newest;
    await unitOfWork.query(SIGN, [this.holder, Math.max(0, this.clearedThrough)]);
    this.signedAtMs = clock.monotonicMs();
    return isThrough;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    const stopped = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    await Promise.race([this.parts.databaseReady(), stopped]).catch(() => undefined);
    while (!signal.aborted) {
      try {
        await this.runOnce();
      } catch (error) {
        const message = this.messages.pass(
          'run',
          `This process cannot tell that it forgets what is erased, trying again: ${String(error)}`,
        );
        if (message !== null && !signal.aborted) this.logger.warn(message);
      }
      await delay(this.parts.intervalMs ?? INTERVAL_DEFAULT_MS, undefined, { signal }).catch(() => undefined);
    }
    await this.parts.unitOfWork.query(LEAVE, [this.holder]).catch(() => undefined);
    await this.parts.unitOfWork.query(FORGET_OLD).catch(() => undefined);
  }

  private async isSettled(): Promise<boolean> {
    const { rows } = await this.parts.unitOfWork.query<{ is_unsettled: boolean }>(IS_UNSETTLED, [this.clearedThrough]);
    return !rows[0]!.is_unsettled;
  }

  /** The follower of the ledger removes the points; this reads whether it has, and writes the copy's snapshot anew. */
  private async isCopyFree(): Promise<boolean> {
    const { replica, unitOfWork } = this.parts;
    if (replica === null) return true;
    const { rows: open } = await unitOfWork.query<{ source: string; point_ids: string[] }>(OPEN, [this.clearedThrough]);
    const kept = new Set(await replica.store.listCollections());
    for (const { source, point_ids: ids } of open) {
      const { rows } = await unitOfWork.query<{ collection: string }>(COLLECTIONS, [source]);
      for (const { collection } of rows.filter((row) => kept.has(row.collection))) {
        if ((await replica.store.retrieve(collection, ids)).length > 0) return false;
        await replica.store.snapshot(collection);
      }
    }
    return true;
  }
}
