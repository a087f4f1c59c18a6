import type { IndexGeneration } from '../../generations/index-generation.js';
import type { ScheduleName } from '../schedule-names.js';
import { ScheduledTaskError, type ScheduledTask } from '../scheduled-task.js';

export interface GenerationsTaskParts {
  readonly name: ScheduleName;
  /** Those that are not retired, as they are now. */
  readonly list: () => Promise<readonly IndexGeneration[]>;
  /** What is returned is kept with the run. */
  readonly work: (generation: IndexGeneration, signal: AbortSignal) => Promise<unknown>;
}

/** Does the same for every generation, one after the other: one that fails does not keep the others from their turn. */
export class GenerationsTask implements ScheduledTask {
  readonly name: ScheduleName;

  constructor(private readonly parts: GenerationsTaskParts) {
    this.name = parts.name;
  }

  /** @throws ScheduledTaskError with all results, when one of them failed */
  async run(signal: AbortSignal): Promise<{ generations: unknown[] }> {
    const generations: unknown[] = [];
    const failed: number[] = [];
    let cause: unknown;
    for (const generation of await this.parts.list()) {
      signal.throwIfAborted();
      const head = { id: generation.id, source: generation.source, state: generation.state };
      try {
        generations.push({ ...head, result: (await this.parts.work(generation, signal)) ?? null });
      } catch (error) {
        signal.throwIfAborted();
        failed.push(generation.id);
        cause ??= error;
        generations.push({ ...head, error: error instanceof Error ? error.message : String(error) });
      }
    }
    if (failed.length === 0) return { generations };
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ScheduledTaskError(`generation ${failed.join(', ')}: ${reason}`, { generations }, { cause });
  }
}
