import { IngestionConfig } from '#config';
import { Clock, DomainError, IdGenerator } from '#kernel';
import { IndexDirectory } from '#sync';
import { Injectable, Logger } from '@nestjs/common';
import type { ImportFailure, ImportJob } from '../import-job.js';
import { ImportTargets } from '../import-targets.js';
import { UnreadableFileError } from '../parsing/read-row.js';
import { StagedFiles } from '../staging/staged-files.js';
import { BacklogBrake } from './backlog-brake.js';
import { ImportRun } from './import-run.js';
import { ImportRunStore, RunLostError, type HeldRun } from './import-run.store.js';

/** How long a job is held by a process that has died, renewed three times as often. */
const LEASE_MS = 6_000;
const RENEWALS_PER_LEASE = 3;
const DEFECT: ImportFailure = { code: 'internal.error', detail: 'A defect in Kindred; the log has the cause. It can be resumed' };

/** Runs one import at a time in this process: takes it, keeps its lease, and says how it ended. */
@Injectable()
export class ImportRunner {
  private readonly logger = new Logger('Imports');
  private readonly brake: BacklogBrake;

  constructor(
    private readonly store: ImportRunStore,
    private readonly files: StagedFiles,
    private readonly targets: ImportTargets,
    private readonly directory: IndexDirectory,
    private readonly config: IngestionConfig,
    private readonly ids: IdGenerator,
    private readonly clock: Clock,
  ) {
    this.brake = new BacklogBrake(directory, () => clock.monotonicMs());
  }

  /**
   * Runs a job from its checkpoint on; a job that is over, or that another process runs, is left alone.
   *
   * @param signal aborts when the process stops: then the batch under way ends, and the job goes back to the queue
   * @throws whatever ended the run early, when the job is to be tried again
   */
  async run(jobId: string, signal: AbortSignal): Promise<void> {
    const token = this.ids.uuid();
    const job = await this.store.claim(jobId, token, LEASE_MS);
    if (job === null) return;
    const held: HeldRun = { jobId, token };
    const lost = new AbortController();
    const cancelled = new AbortController();
    const keeper = this.keep(held, lost, cancelled);
    try {
      const outcome = await this.read(job, held, AbortSignal.any([signal, lost.signal]), cancelled.signal);
      await this.store.finish(held, outcome);
      this.logger.log({ msg: `import ${outcome}`, job_id: jobId, kind: job.kind });
    } catch (error) {
      await this.end(job, held, error, signal);
    } finally {
      clearInterval(keeper);
    }
  }

  private read(job: ImportJob, held: HeldRun, signal: AbortSignal, cancelled: AbortSignal): Promise<'done' | 'cancelled'> {
    const target = this.targets.get(job.kind);
    return new ImportRun({
      job,
      held,
      writer: target.open(job.options),
      store: this.store,
      files: this.files,
      limits: this.config,
      // What a dry run does is no work for the index.
      beforeBatch: async (stop) => (job.options.isDryRun ? undefined : this.brake.pass(target.source, stop, cancelled)),
      afterBatch: () => this.directory.wake(),
      monotonicMs: () => this.clock.monotonicMs(),
      signal,
    }).run();
  }

  /** Renews the lease in the background: a batch may have to wait for the index longer than a lease lasts. So a wish to cancel is seen meanwhile. */
  private keep(held: HeldRun, lost: AbortController, cancelled: AbortController): NodeJS.Timeout {
    const renew = async (): Promise<void> => {
      try {
        if (await this.store.renew(held, LEASE_MS)) cancelled.abort();
      } catch (error) {
        // Any other failure is the database's; each batch looks at the lease again.
        if (error instanceof RunLostError) lost.abort(error);
      }
    };
    return setInterval(() => void renew(), LEASE_MS / RENEWALS_PER_LEASE).unref();
  }

  private async end(job: ImportJob, held: HeldRun, error: unknown, signal: AbortSignal): Promise<void> {
    if (error instanceof RunLostError) {
      this.logger.warn({ msg: 'an import was taken over by another process', job_id: job.id });
      return;
    }
    if (error instanceof UnreadableFileError) {
      await this.store.refuse(held, error.problem);
      return;
    }
    const isOurFault = !signal.aborted && !(error instanceof DomainError && error.definition.retryable);
    // What cannot be given back is found by the sweep when its lease has ended.
    const state = await this.store.release(held, isOurFault, DEFECT).catch(() => null);
    if (state === 'failed') this.logger.error({ msg: 'an import was given up', job_id: job.id, err: error });
    else if (state !== 'cancelled') throw error;
  }
}
