import type { RelayUnitOfWork } from '#database';
import { crashPoint, RepeatedMessages, type Clock } from '#kernel';
import { Logger, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import type { ErasureLog } from './erasure-log.js';
import type { ErasurePlaces } from './erasure-places.js';
import {
  claimErasure,
  finishErasure,
  markLogged,
  provenPlaces,
  renewErasure,
  retryErasure,
  saveStep,
  type ClaimedErasure,
} from './erasure-rows.js';
import type { ErasureSubject } from './erasure.js';
import { recordOf } from './record-of.js';
import { INDEX_PLACES } from './places/index-places.js';

export interface ErasureWorkerParts {
  /** Resolves when the database is connected and migrated. */
  readonly databaseReady: () => Promise<void>;
  readonly unitOfWork: RelayUnitOfWork;
  readonly places: ErasurePlaces;
  readonly log: ErasureLog;
  readonly clock: Clock;
  /** Between two looks for work. Default 1,000. */
  readonly intervalMs?: number;
}

const INTERVAL_DEFAULT_MS = 1_000;
/** One look at one place. */
const PLACE_TIMEOUT_MS = 15_000;
/** From place to place; a process that dies is followed by another one after it, and one that takes longer does no harm beside it. */
const LEASE_MS = PLACE_TIMEOUT_MS + 5_000;
/**
 * About a day at the longest pause; then a person has to look, for nothing that heals by itself takes so long. Rounds, not the time of the request: one that a
 * restore enters again is as old as ever, and begins anew.
 */
const MOST_ROUNDS = 2_900;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;
const PAUSE_DOUBLES_AFTER = 10;

/** Works on erasures until each is proven: one process at a time for each, every step repeatable, and whatever a dead process left behind is taken up again. */
export class ErasureWorker implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger('Erasures');
  private readonly messages: RepeatedMessages;
  private readonly stopping = new AbortController();
  private background: Promise<void> = Promise.resolve();

  constructor(private readonly parts: ErasureWorkerParts) {
    this.messages = new RepeatedMessages(parts.clock);
  }

  onApplicationBootstrap(): void {
    this.background = this.run();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort(new Error('The engine is stopping'));
    await this.background;
  }

  /** One round through the erasure that is due longest; returns whether there was one. */
  async runOnce(signal: AbortSignal = this.stopping.signal): Promise<boolean> {
    const claimed = await claimErasure(this.parts.unitOfWork, LEASE_MS);
    if (claimed === null) return false;
    await this.work(claimed, signal);
    return true;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    const intervalMs = this.parts.intervalMs ?? INTERVAL_DEFAULT_MS;
    await Promise.race([this.parts.databaseReady(), untilAborted(signal)]).catch(() => undefined);
    while (!signal.aborted) {
      let hasWorked = false;
      try {
        hasWorked = await this.runOnce();
      } catch (error) {
        const message = this.messages.pass('run', `Erasures cannot be worked on, trying again: ${String(error)}`);
        if (message !== null && !signal.aborted) this.logger.warn(message);
      }
      if (!hasWorked) await delay(intervalMs, undefined, { signal }).catch(() => undefined);
    }
  }

  private async work({ subject, attempts, isLogged }: ClaimedErasure, signal: AbortSignal): Promise<void> {
    const { unitOfWork, log } = this.parts;
    const failures: string[] = [];
    if (!isLogged) {
      try {
        await log.append(recordOf(subject));
        await markLogged(unitOfWork, subject.id);
      } catch (error) {
        failures.push(`log: ${String(error)}`);
      }
    }
    const open = await this.visit(subject, signal, failures);
    if (open.length === 0 && failures.length === 0) {
      await finishErasure(unitOfWork, subject.id, 'proven', null);
      this.logger.log(`The erasure ${subject.id} is proven`);
      return;
    }
    const reason = failures.length > 0 ? failures.join('; ') : null;
    if (attempts >= MOST_ROUNDS) {
      await finishErasure(unitOfWork, subject.id, 'failed', reason ?? `not gone after ${attempts} rounds from: ${open.join(', ')}`);
      this.logger.error(`The erasure ${subject.id} is not proven after ${attempts} rounds: ${open.join(', ')}`);
      return;
    }
    const pauseMs = FIRST_PAUSE_MS * 2 ** Math.max(0, attempts - PAUSE_DOUBLES_AFTER);
    await retryErasure(unitOfWork, subject.id, Math.min(pauseMs, LONGEST_PAUSE_MS), reason);
  }

  /** Looks at every place that is not proven yet; returns the names of those that still are not. */
  private async visit(subject: ErasureSubject, signal: AbortSignal, failures: string[]): Promise<string[]> {
    const { unitOfWork, places } = this.parts;
    const proven = new Set(await provenPlaces(unitOfWork, subject.id));
    const open: string[] = [];
    for (const place of places.all()) {
      if (proven.has(place.name)) continue;
      signal.throwIfAborted();
      if (place.waitsForIndex && INDEX_PLACES.some((name) => !proven.has(name))) {
        open.push(place.name);
        continue;
      }
      try {
        await renewErasure(unitOfWork, subject.id, LEASE_MS);
        const findings = await place.erase(subject, AbortSignal.any([signal, AbortSignal.timeout(PLACE_TIMEOUT_MS)]));
        for (const { part = '', isGone, removed = 0, detail = null } of findings)
          await saveStep(unitOfWork, subject.id, { place: place.name, part, state: isGone ? 'proven' : 'pending', removed, detail });
        if (findings.every(({ isGone }) => isGone)) {
          proven.add(place.name);
          crashPoint('erasure.place-proven');
        } else open.push(place.name);
      } catch (error) {
        signal.throwIfAborted();
        open.push(place.name);
        failures.push(`${place.name}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
    return open;
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
