import { UnitOfWork, type SqlSession } from '#database';
import { crashPoint, DomainError } from '#kernel';
import { IndexSourceRegistry, textHashOf } from '#sync';
import { Injectable, Logger } from '@nestjs/common';
import { ErasureLog } from './erasure-log.js';
import { ErasurePlaces } from './erasure-places.js';
import type { ErasureKind } from './erasure-record.js';
import { recordOf } from './record-of.js';
import { findErasure, insertErasure, markLogged } from './erasure-rows.js';
import type { Erasure, ErasureStep, ErasureSubject } from './erasure.js';

export interface ErasureRequest {
  readonly kind: ErasureKind;
  readonly targetId: string;
  /** Of the index. */
  readonly source: string;
  /** Ids of the points, read in the transaction of the deletion. */
  readonly pointIds: (session: SqlSession) => Promise<string[]>;
  /** Deletes the row, in the same transaction. @throws what makes the whole erasure void, such as a DomainError `projects.not-found` */
  readonly remove: (session: SqlSession) => Promise<void>;
}

const GENERATIONS = `SELECT model_rev, template_rev FROM index_generations WHERE source = $1 AND state <> 'retired'`;
const INDEXED_HASHES = 'SELECT DISTINCT indexed_hash FROM index_ledger WHERE source_id = ANY($1::uuid[]) AND indexed_hash IS NOT NULL';

/** Erasures with a receipt: the row goes at once, everything that was made from it a moment later, and each place is proven. */
@Injectable()
export class Erasures {
  private readonly logger = new Logger('Erasures');

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly sources: IndexSourceRegistry,
    private readonly log: ErasureLog,
    private readonly places: ErasurePlaces,
  ) {}

  /**
   * Deletes the row and begins its erasure; resolves with the id of the receipt when both are committed, and written down outside of the database.
   *
   * The row first: a line in the log for a row that is still there would delete it after a restore, though nobody was told that it was gone. A process that
   * dies in between leaves an erasure without a line, which whoever works on it writes.
   *
   * @throws what `remove` throws, and then nothing has happened; DomainError `erasures.log-unavailable`, and then the erasure goes on all the same
   */
  async request(request: ErasureRequest): Promise<string> {
    const subject = await this.unitOfWork.run((session) => this.delete(session, request));
    crashPoint('erasure.deleted');
    try {
      await this.log.append(recordOf(subject));
    } catch (error) {
      this.logger.error(`The erasure ${subject.id} could not be written to ${this.log.path}: ${String(error)}`);
      const detail = `The row is deleted and its erasure ${subject.id} goes on, but it could not be written down outside of the database: a restore would bring the row back. The log of the service has the cause; it is tried again.`;
      throw new DomainError('erasures.log-unavailable', { detail, cause: error, headers: { Location: locationOf(subject.id) } });
    }
    crashPoint('erasure.logged');
    await markLogged(this.unitOfWork, subject.id).catch(() => undefined);
    return subject.id;
  }

  /** The receipt as it is now. @throws DomainError `erasures.not-found` */
  async get(id: string): Promise<Erasure> {
    const erasure = await findErasure(this.unitOfWork, id);
    if (erasure === null) throw new DomainError('erasures.not-found');
    const seen = new Set(erasure.steps.map(({ place }) => place));
    const missing = this.places.all().filter(({ name }) => !seen.has(name));
    const steps = erasure.state === 'pending' ? [...erasure.steps, ...missing.map(({ name }) => notYet(name))] : erasure.steps;
    return { ...erasure, steps };
  }

  private async delete(session: SqlSession, { kind, targetId, source, pointIds, remove }: ErasureRequest): Promise<ErasureSubject> {
    const ids = await pointIds(session);
    const textHashes = await this.hashesOf(session, source, ids);
    await remove(session);
    return insertErasure(session, { kind, targetId, source, pointIds: ids, textHashes });
  }

  /** What is indexed, and what would be next: a vector is in the cache before its point is in the index. */
  private async hashesOf(session: SqlSession, source: string, ids: readonly string[]): Promise<Buffer[]> {
    const { rows: indexed } = await session.query<{ indexed_hash: Buffer }>(INDEXED_HASHES, [ids]);
    const { rows: generations } = await session.query<{ model_rev: string; template_rev: string }>(GENERATIONS, [source]);
    const documents = await this.sources.get(source).load(ids, session);
    const current = generations.flatMap(({ model_rev, template_rev }) =>
      documents.map(({ text }) => textHashOf(model_rev, template_rev, text)),
    );
    const all = [...indexed.map(({ indexed_hash }) => indexed_hash), ...current];
    return [...new Map(all.map((hash) => [hash.toString('hex'), hash])).values()];
  }
}

/** Path of the receipt. */
export const locationOf = (id: string): string => `/api/v1/erasures/${id}`;

const notYet = (place: string): ErasureStep => ({
  place,
  part: '',
  state: 'pending',
  removed: 0,
  checkedAt: null,
  provenAt: null,
  detail: null,
});
