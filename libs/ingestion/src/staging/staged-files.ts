import { UnitOfWork } from '#database';
import { Injectable } from '@nestjs/common';

/** Large enough that a file has few rows, small enough that some of them fit into memory beside everything else. */
export const PIECE_BYTES = 262_144;

/* With the piece, the sign that the upload still lives. */
const WRITE = `
WITH alive AS (UPDATE ingestion_jobs SET updated_at = now() WHERE id = $1::uuid AND state = 'uploading' RETURNING id)
INSERT INTO ingestion_pieces (job_id, ordinal, bytes) SELECT id, $2::int, $3::bytea FROM alive`;

/** Uploaded files, in PostgreSQL, in pieces of {@link PIECE_BYTES}, so that any process can read them. */
@Injectable()
export class StagedFiles {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** Stores the next piece; all but the last have the full size. Returns false when the job takes no bytes any more. */
  async write(jobId: string, ordinal: number, bytes: Buffer): Promise<boolean> {
    return (await this.unitOfWork.query(WRITE, [jobId, ordinal, bytes])).rowCount === 1;
  }

  /** Says that the upload still lives, though no piece is whole yet. */
  async touch(jobId: string): Promise<void> {
    await this.unitOfWork.query(`UPDATE ingestion_jobs SET updated_at = now() WHERE id = $1::uuid AND state = 'uploading'`, [jobId]);
  }

  /** The bytes from `offset` on, at most a piece at a time; one statement per piece, no transaction. */
  async *read(jobId: string, offset: number): AsyncGenerator<Buffer> {
    let skipped = offset % PIECE_BYTES;
    for (let ordinal = Math.floor(offset / PIECE_BYTES); ; ordinal++) {
      const { rows } = await this.unitOfWork.query<{ bytes: Buffer }>(
        'SELECT bytes FROM ingestion_pieces WHERE job_id = $1::uuid AND ordinal = $2::int',
        [jobId, ordinal],
      );
      if (rows[0] === undefined) return;
      yield rows[0].bytes.subarray(skipped);
      skipped = 0;
    }
  }
}
