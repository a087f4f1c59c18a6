import { isForeignKeyViolation, isUniqueViolation, timestampColumn, UnitOfWork, type SqlSession } from '#database';
import { DomainError } from '#kernel';
import { Injectable } from '@nestjs/common';
import type { ExpectedVersions } from './collection.repository.js';
import { unknownCollection } from './collection-errors.js';
import type { Document, DocumentFields, DocumentPatch } from './document.js';
import { DOCUMENT_FIELDS } from './document-comparison.js';
import { DOCUMENT_SORT_COLUMNS, type DocumentFilter, type DocumentListQuery } from './document-list.js';

const WRITABLE_COLUMNS = {
  title: 'text',
  content: 'text',
  kind: 'text',
  external_id: 'text',
  source_uri: 'text',
  language: 'text',
  metadata: 'jsonb',
} as const satisfies Record<keyof DocumentFields, string>;

const COLUMNS = [
  'd.id, d.collection_id, c.name AS collection, d.title, d.content, d.kind, d.external_id, d.source_uri, d.language, d.metadata',
  'd.version, d.chunked_version',
  timestampColumn('d.created_at'),
  timestampColumn('d.updated_at'),
].join(', ');
const FROM = 'FROM documents d JOIN collections c ON c.id = d.collection_id';
const IS_VISIBLE = 'id = $1::uuid AND ($2::uuid[] IS NULL OR collection_id = ANY($2::uuid[]))';
/** In one statement with the write: what is checked in another one can be old by then. */
const MATCHES = `${IS_VISIBLE} AND ($3::int[] IS NULL OR version = ANY($3::int[]))`;
const EXTERNAL_ID_CONSTRAINT = 'documents_external_id_key';
const COLLECTION_CONSTRAINT = 'documents_collection_id_fkey';

interface DocumentRecord extends Omit<Document, 'created_at' | 'updated_at'> {
  readonly created_at_text: string;
  readonly updated_at_text: string;
}

/** What must hold of a document in the moment when it is written. */
export interface DocumentPreconditions {
  readonly versions: ExpectedVersions;
  /** Ids of the collections that the writer may see; `null` = all. Elsewhere the document does not exist for it. */
  readonly collections: ReadonlySet<string> | null;
}

/** The name that another system gave to a document. */
export interface DocumentKey {
  readonly collection_id: string;
  readonly external_id: string;
}

/** What a batch needs to know of a document that exists, to tell whether it changes. */
export interface KnownDocument extends DocumentFields {
  readonly id: string;
  readonly collection_id: string;
}

/** A document that nobody else can write now. */
export interface LockedDocument {
  readonly id: string;
  readonly collection_id: string;
  readonly external_id: string | null;
}

/** By id, and by the keys; a document is locked before another one with a greater id, as every writer does. */
const LOCK = `
SELECT id, collection_id, external_id FROM documents WHERE id IN (
  SELECT unnest($1::uuid[]) UNION
  SELECT d.id FROM documents d JOIN unnest($2::uuid[], $3::text[]) AS k (collection_id, external_id)
    ON d.collection_id = k.collection_id AND d.external_id = k.external_id
) ORDER BY id FOR UPDATE`;
/* Collections first, as for every writer of several documents. */
const HOLD_COLLECTIONS_OF = `
SELECT 1 FROM collections WHERE id IN (SELECT collection_id FROM documents WHERE id = ANY($1::uuid[])) ORDER BY id FOR SHARE`;
const DELETE_ALL = `
WITH locked AS (SELECT id FROM documents WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE)
DELETE FROM documents d USING locked WHERE d.id = locked.id RETURNING d.id`;

/** Reads `documents`, and writes single ones; batches are written by `DocumentWriter`. */
@Injectable()
export class DocumentRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** @returns `null` when there is no such row */
  async find(id: string): Promise<Document | null> {
    return (await this.findAll([id])).get(id) ?? null;
  }

  /** The rows that exist, by id, in one statement. */
  async findAll(ids: readonly string[], session: SqlSession = this.unitOfWork): Promise<Map<string, Document>> {
    const { rows } = await session.query<DocumentRecord>(`SELECT ${COLUMNS} ${FROM} WHERE d.id = ANY($1::uuid[])`, [ids]);
    return new Map(rows.map((row) => [row.id, documentOf(row)]));
  }

  /** Why the chunks of a document could not be made; `null` = they could, or were not tried yet. */
  async findChunkingError(id: string): Promise<string | null> {
    const { rows } = await this.unitOfWork.query<{ chunking_error: string | null }>(
      'SELECT chunking_error FROM documents WHERE id = $1::uuid',
      [id],
    );
    return rows[0]?.chunking_error ?? null;
  }

  /** Documents that already have one of these external ids in their collection. */
  async findByExternalIds(keys: readonly DocumentKey[]): Promise<KnownDocument[]> {
    if (keys.length === 0) return [];
    const { rows } = await this.unitOfWork.query<KnownDocument>(
      `SELECT id, collection_id, ${DOCUMENT_FIELDS.join(', ')} FROM documents
       WHERE (collection_id, external_id) IN (SELECT * FROM unnest($1::uuid[], $2::text[]))`,
      [keys.map(({ collection_id }) => collection_id), keys.map(({ external_id }) => external_id)],
    );
    return rows;
  }

  /**
   * Locks documents until the end of the transaction: those with these ids, and those with these keys.
   *
   * @returns which of them exist, and what they are called now
   */
  async lockIn(session: SqlSession, ids: readonly string[], keys: readonly DocumentKey[]): Promise<LockedDocument[]> {
    const { rows } = await session.query<LockedDocument>(LOCK, [
      ids,
      keys.map(({ collection_id }) => collection_id),
      keys.map(({ external_id }) => external_id),
    ]);
    return rows;
  }

  /** For each key, the id of the document that has it, or `null`. */
  async idsByExternalIds(keys: readonly DocumentKey[], session: SqlSession = this.unitOfWork): Promise<(string | null)[]> {
    const { rows } = await session.query<{ id: string | null }>(
      `SELECT d.id FROM unnest($1::uuid[], $2::text[]) WITH ORDINALITY AS k (collection_id, external_id, place)
       LEFT JOIN documents d ON d.collection_id = k.collection_id AND d.external_id = k.external_id ORDER BY k.place`,
      [keys.map(({ collection_id }) => collection_id), keys.map(({ external_id }) => external_id)],
    );
    return rows.map(({ id }) => id);
  }

  /** Reads one page, and whether another one follows. Keyset pagination: page 1,000 costs what page 1 costs, and rows written meanwhile neither repeat nor vanish. */
  async list({ filter, sort, limit, after }: DocumentListQuery): Promise<{ readonly items: Document[]; readonly hasMore: boolean }> {
    const parameters: unknown[] = [];
    const conditions = conditionsOf(filter, parameters);
    if (after !== null) {
      const value = `$${parameters.push(after.value)}::${DOCUMENT_SORT_COLUMNS[sort.column]}`;
      conditions.push(`(d.${sort.column}, d.id) ${sort.isDescending ? '<' : '>'} (${value}, $${parameters.push(after.id)}::uuid)`);
    }
    const where = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
    const direction = sort.isDescending ? 'DESC' : 'ASC';
    const { rows } = await this.unitOfWork.query<DocumentRecord>(
      `SELECT ${COLUMNS} ${FROM} ${where} ORDER BY d.${sort.column} ${direction}, d.id ${direction} LIMIT $${parameters.push(limit + 1)}::int`,
      parameters,
    );
    return { items: rows.slice(0, limit).map(documentOf), hasMore: rows.length > limit };
  }

  /**
   * Writes the named columns when the row meets the preconditions; its chunks are the caller's affair.
   *
   * @throws DomainError `documents.not-found`, `request.precondition-failed`, `documents.external-id-taken`, `collections.unknown`
   */
  async update(
    id: string,
    patch: DocumentPatch & { readonly collection_id?: string },
    expected: DocumentPreconditions,
    session: SqlSession = this.unitOfWork,
  ): Promise<Document> {
    const parameters = matchParameters(id, expected);
    const assignments = DOCUMENT_FIELDS.filter((name) => patch[name] !== undefined).map(
      (name) => `${name} = $${parameters.push(documentValue(patch, name))}::${WRITABLE_COLUMNS[name]}`,
    );
    if (patch.collection_id !== undefined) assignments.push(`collection_id = $${parameters.push(patch.collection_id)}::uuid`);
    const inner =
      assignments.length === 0
        ? `SELECT * FROM documents WHERE ${MATCHES}`
        : `UPDATE documents SET ${assignments.join(', ')} WHERE ${MATCHES} RETURNING *`;
    const sql = `WITH d AS (${inner}) SELECT ${COLUMNS} FROM d JOIN collections c ON c.id = d.collection_id`;
    const { rows } = await withDocumentErrors(() => session.query<DocumentRecord>(sql, parameters));
    return rows[0] === undefined ? this.explainMiss(id, expected, session) : documentOf(rows[0]);
  }

  /** @throws DomainError `documents.not-found`, `request.precondition-failed` */
  async delete(id: string, expected: DocumentPreconditions, session: SqlSession = this.unitOfWork): Promise<void> {
    const { rows } = await session.query(`DELETE FROM documents WHERE ${MATCHES} RETURNING id`, matchParameters(id, expected));
    if (rows.length === 0) await this.explainMiss(id, expected, session);
  }

  /** Deletes what exists of these, in one transaction, and says which those were. */
  async deleteAll(ids: readonly string[]): Promise<string[]> {
    return this.unitOfWork.run(async (session) => {
      await session.query(HOLD_COLLECTIONS_OF, [ids]);
      const { rows } = await session.query<{ id: string }>(DELETE_ALL, [ids]);
      return rows.map(({ id }) => id);
    });
  }

  /** Only after a miss, so the way that succeeds stays one statement. */
  private async explainMiss(id: string, expected: DocumentPreconditions, session: SqlSession): Promise<never> {
    const { rows } = await session.query(`SELECT 1 FROM documents WHERE ${IS_VISIBLE}`, matchParameters(id, expected).slice(0, 2));
    throw new DomainError(rows.length === 0 ? 'documents.not-found' : 'request.precondition-failed');
  }
}

/** Of `MATCHES`; the first two are those of `IS_VISIBLE`. */
function matchParameters(id: string, { collections, versions }: DocumentPreconditions): unknown[] {
  return [id, collections === null ? null : [...collections], versions];
}

/** The value of a column as a parameter of a statement. */
export function documentValue(fields: DocumentPatch, name: keyof DocumentFields): unknown {
  return name === 'metadata' ? JSON.stringify(fields[name]) : fields[name];
}

/** Runs a write of documents; what PostgreSQL refuses for a reason of the data becomes the error that says so. */
export async function withDocumentErrors<T>(write: () => Promise<T>): Promise<T> {
  try {
    return await write();
  } catch (error) {
    if (isUniqueViolation(error, EXTERNAL_ID_CONSTRAINT)) throw new DomainError('documents.external-id-taken', { cause: error });
    if (isForeignKeyViolation(error, COLLECTION_CONSTRAINT)) throw unknownCollection('/collection');
    throw error;
  }
}

function conditionsOf({ collectionId, kind, language, externalId }: DocumentFilter, parameters: unknown[]): string[] {
  const conditions: string[] = [];
  if (collectionId !== null) conditions.push(`d.collection_id = $${parameters.push(collectionId)}::uuid`);
  if (kind !== null) conditions.push(`d.kind = $${parameters.push(kind)}::text`);
  if (language !== null) conditions.push(`d.language = $${parameters.push(language)}::text`);
  if (externalId !== null) conditions.push(`d.external_id = $${parameters.push(externalId)}::text`);
  return conditions;
}

function documentOf({ created_at_text, updated_at_text, ...row }: DocumentRecord): Document {
  return { ...row, created_at: created_at_text, updated_at: updated_at_text };
}
