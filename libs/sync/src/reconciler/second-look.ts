import type { UnitOfWork } from '#database';
import type { VectorStore } from '#vector-store';
import type { IndexGeneration } from '../generations/index-generation.js';
import { pause } from '../pause.js';
import type { Findings, Suspect } from './findings.js';
import type { DatabaseReader } from './read-database-side.js';
import { compareVectors } from './vector-sample.js';

const CHUNK_SIZE = 500;
/** What changes between two looks is looked at again, so often; after that somebody is at work on it. */
const LOOKS_MAXIMUM = 3;

export interface SecondLookParts {
  readonly unitOfWork: UnitOfWork;
  readonly store: VectorStore;
  readonly generation: IndexGeneration;
  readonly reader: DatabaseReader;
  /** Between two looks, milliseconds. */
  readonly pauseMs: number;
}

/**
 * Looks at suspects again, later and by id: what was in flight at the first look has landed by then, and a server that has just restarted may show again
 * what it seemed to lack (Qdrant 1.17 to 1.18.3). Only what differs in the same way at the same version is confirmed.
 */
export class SecondLook {
  constructor(private readonly parts: SecondLookParts) {}

  async confirm(findings: Findings, signal: AbortSignal): Promise<void> {
    const { pauseMs } = this.parts;
    for (let look = 1; findings.suspects.length > 0; look++) {
      await pause(pauseMs, signal);
      const suspects = findings.suspects;
      const changed: Suspect[] = [];
      for (let start = 0; start < suspects.length; start += CHUNK_SIZE) {
        signal.throwIfAborted();
        changed.push(...(await this.lookAt(suspects.slice(start, start + CHUNK_SIZE), findings, signal)));
      }
      findings.suspects = changed;
      if (look < LOOKS_MAXIMUM) continue;
      for (const suspect of changed) findings.giveUp(suspect);
      findings.suspects = [];
    }
  }

  /** Compares the vectors of the sample, twice where they differ; returns how many were compared. */
  async confirmVectors(findings: Findings, signal: AbortSignal): Promise<number> {
    const { unitOfWork, store, generation, pauseMs } = this.parts;
    const first = await compareVectors(unitOfWork, store, generation, findings.sample.all, signal);
    if (first.differing.length === 0) return first.compared;
    await pause(pauseMs, signal);
    const second = await compareVectors(unitOfWork, store, generation, first.differing, signal);
    for (const point of second.differing) findings.confirmVector(point);
    return first.compared;
  }

  private async lookAt(suspects: readonly Suspect[], findings: Findings, signal: AbortSignal): Promise<Suspect[]> {
    const { store, generation, reader } = this.parts;
    const ids = suspects.map(({ id }) => id);
    const { sides } = await reader.readIds(ids);
    const points = new Map((await store.retrieve(generation.collection, ids, { signal })).map((point) => [point.id, point]));
    return suspects.flatMap((suspect) => findings.lookAgain(suspect, sides.get(suspect.id), points.get(suspect.id) ?? null) ?? []);
  }
}
