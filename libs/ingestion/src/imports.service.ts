import { IngestionConfig } from '#config';
import type { WithinWrite } from '#database';
import { DomainError } from '#kernel';
import { IndexDirectory } from '#sync';
import { Injectable } from '@nestjs/common';
import type { Readable } from 'node:stream';
import type { ImportJob } from './import-job.js';
import { ImportJobsRepository, type ImportProblemPage, type NewImport } from './import-jobs.repository.js';
import { ImportTargets } from './import-targets.js';
import { JobSweep } from './queue/job-sweep.js';
import { receiveFile, tooLarge } from './staging/receive-file.js';
import { StagedFiles } from './staging/staged-files.js';

/** What can be done with imports. */
@Injectable()
export class ImportsService {
  constructor(
    private readonly jobs: ImportJobsRepository,
    private readonly files: StagedFiles,
    private readonly sweep: JobSweep,
    private readonly targets: ImportTargets,
    private readonly directory: IndexDirectory,
    private readonly config: IngestionConfig,
  ) {}

  /**
   * Stores the file as it arrives, and makes it a job. An upload that ends early leaves nothing behind.
   *
   * @param declaredBytes what the sender says that it will send; `null` = it does not say
   * @param within is committed together with the job
   * @throws DomainError `request.body-too-large`, `request.invalid` for an empty file, `imports.too-many`, `jobs.over`
   */
  async receive(wanted: NewImport, body: Readable, declaredBytes: number | null, within?: WithinWrite<ImportJob>): Promise<ImportJob> {
    if (declaredBytes !== null && declaredBytes > this.config.maxBytes) throw tooLarge(this.config.maxBytes);
    const id = await this.jobs.create(wanted);
    try {
      const { totalBytes, sha256 } = await receiveFile(this.files, id, body, this.config.maxBytes);
      const job = await this.jobs.finishUpload(id, totalBytes, sha256, within);
      if (job === null) throw new DomainError('jobs.over', { detail: 'The import was cancelled while it was uploaded' });
      await this.hurry();
      return job;
    } catch (error) {
      // What is still under way is read and thrown away: the answer would not reach a sender whose connection is cut, nor the next request one that stands still.
      body.resume();
      // What cannot be removed now is removed by a later sweep.
      await this.jobs.discardUpload(id).catch(() => undefined);
      throw error;
    }
  }

  /** How many jobs there are in each state. */
  countByState(): ReturnType<ImportJobsRepository['countByState']> {
    return this.jobs.countByState();
  }

  /** @throws DomainError `jobs.not-found` */
  async get(id: string): Promise<ImportJob> {
    return this.jobs.get(id);
  }

  /** Newest first. */
  async list(before: string | null, limit: number): Promise<{ readonly items: ImportJob[]; readonly hasMore: boolean }> {
    return this.jobs.list(before, limit);
  }

  /** @throws DomainError `jobs.not-found` */
  async problems(id: string, after: number, limit: number): Promise<ImportProblemPage> {
    await this.jobs.get(id);
    return this.jobs.problems(id, after, limit);
  }

  /** Idempotent. A run under way ends after its batch; what was written stays. @throws DomainError `jobs.not-found` */
  async cancel(id: string): Promise<ImportJob> {
    await this.jobs.cancel(id);
    return this.jobs.get(id);
  }

  /** Lets a failed import go on where it ended; one that is open already stays as it is. @throws DomainError `jobs.not-found`, `jobs.over`, `imports.too-many` */
  async resume(id: string): Promise<ImportJob> {
    const job = await this.jobs.get(id);
    if (job.state === 'queued' || job.state === 'running') return job;
    const resumed = await this.jobs.resume(id);
    if (resumed === null)
      throw new DomainError('jobs.over', { detail: `The job is ${job.state}; only a failed one whose file is still there can be resumed` });
    await this.hurry();
    return resumed;
  }

  /** Rows of the kind that are not searchable yet, of whatever origin; `null` = the index cannot say. */
  async indexBacklog(job: ImportJob): Promise<number | null> {
    try {
      return await this.directory.pendingCount(this.targets.get(job.kind).source);
    } catch {
      return null;
    }
  }

  /** A queue that has not been started yet, or cannot be reached, finds the job at its next sweep. */
  private async hurry(): Promise<void> {
    await this.sweep.enter().catch(() => undefined);
  }
}
