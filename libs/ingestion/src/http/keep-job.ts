import type { WithinWrite } from '#database';
import type { IdempotencyClaim } from '#idempotency';
import type { ImportJob } from '../import-job.js';
import { jobReply } from './job-reply.js';

export function jobLocation({ id }: ImportJob): string {
  return `/api/v1/jobs/${id}`;
}

/** Lets the answer be committed with the job; of the file its digest, which is known by then. */
export function keepJob(claim: IdempotencyClaim | null): WithinWrite<ImportJob> | undefined {
  return claim?.keeping(
    (job: ImportJob) => ({ status: 202, headers: { location: jobLocation(job) }, body: jobReply(job, null) }),
    ({ sha256 }) => sha256!,
  );
}
