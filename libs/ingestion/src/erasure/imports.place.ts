import { UnitOfWork } from '#database';
import { ErasurePlace, type ErasureKind, type ErasureSubject, type PlaceFinding } from '#erasure';
import { Injectable } from '@nestjs/common';
import type { ImportKind } from '../import-job.js';

const KINDS: Readonly<Record<ErasureKind, ImportKind>> = { project: 'projects', document: 'documents' };

/* Of failed imports, which keep their file for a week so that they can be resumed; nobody can tell whether the row is in it. */
const REMOVE = `
DELETE FROM ingestion_pieces p USING ingestion_jobs j
WHERE j.id = p.job_id AND j.kind = $1 AND j.created_at <= $2::timestamptz AND j.state NOT IN ('uploading', 'queued', 'running')`;
const REMOVE_IDS = `
DELETE FROM ingestion_external_ids e USING ingestion_jobs j
WHERE j.id = e.job_id AND j.kind = $1 AND j.created_at <= $2::timestamptz AND j.state NOT IN ('uploading', 'queued', 'running')`;

const LEFT = `
SELECT count(DISTINCT j.id)::int AS count FROM ingestion_jobs j JOIN ingestion_pieces p ON p.job_id = j.id
WHERE j.kind = $1 AND j.created_at <= $2::timestamptz`;

/**
 * Staged files of imports that began before the erasure: the row may have come from one. Reports of refused lines quote no values, and are of rows that were
 * never written.
 */
@Injectable()
export class ImportsPlace extends ErasurePlace {
  readonly name = 'import-files';

  constructor(private readonly unitOfWork: UnitOfWork) {
    super();
  }

  async erase({ kind, requestedAt }: ErasureSubject): Promise<PlaceFinding[]> {
    const parameters = [KINDS[kind], requestedAt];
    const { rowCount } = await this.unitOfWork.query(REMOVE, parameters);
    await this.unitOfWork.query(REMOVE_IDS, parameters);
    const { rows } = await this.unitOfWork.query<{ count: number }>(LEFT, parameters);
    const { count } = rows[0]!;
    return [
      count === 0 ? { isGone: true, removed: rowCount } : { isGone: false, removed: rowCount, detail: `${count} imports are not over yet` },
    ];
  }
}
