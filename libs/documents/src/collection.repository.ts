import { isCheckViolation, isUniqueViolation, timestampColumn, UnitOfWork, type SqlSession, type WithinWrite } from '#database';
import { DomainError, isUuid } from '#kernel';
import { Injectable } from '@nestjs/common';
import type { Collection, CollectionFields, CollectionPatch } from './collection.js';

/** Versions that a write accepts; `null` = whatever it is. An empty list matches no row. */
export type ExpectedVersions = readonly number[] | null;

const WRITABLE_COLUMNS = {
  name: 'text',
  description: 'text',
  language: 'text',
  chunk_tokens: 'integer',
  chunk_overlap_tokens: 'integer',
  metadata_keys: 'jsonb',
} as const satisfies Record<keyof CollectionFields, string>;
const WRITABLE = Object.entries(WRITABLE_COLUMNS) as [keyof CollectionFields, string][];
const COLUMNS = `id, ${WRITABLE.map(([name]) => name).join(', ')}, version, ${timestampColumn('created_at')}, ${timestampColumn('updated_at')}`;
const NAME_CONSTRAINT = 'collections_name_key';
const OVERLAP_CONSTRAINT = 'collections_chunk_overlap_tokens_check';

const INSERT = `INSERT INTO collections (${WRITABLE.map(([name]) => name).join(', ')})
VALUES (${WRITABLE.map(([, type], index) => `$${index + 1}::${type}`).join(', ')}) RETURNING ${COLUMNS}`;

interface CollectionRecord extends Omit<Collection, 'created_at' | 'updated_at'> {
  readonly created_at_text: string;
  readonly updated_at_text: string;
}

/** Reads and writes `collections`. */
@Injectable()
export class CollectionRepository {
  constructor(private readonly unitOfWork: UnitOfWork) {}

  /** @throws DomainError `collections.name-taken`; what `within` throws */
  async insert(fields: CollectionFields, within?: WithinWrite<Collection>): Promise<Collection> {
    return this.unitOfWork.run(async (session) => {
      const { rows } = await write(
        session,
        INSERT,
        WRITABLE.map(([name]) => valueOf(fields, name)),
      );
      const collection = collectionOf(rows[0]!);
      await within?.(session, collection);
      return collection;
    });
  }

  /** By its name or its id; a name is never a UUID. @returns `null` when there is none */
  async find(nameOrId: string): Promise<Collection | null> {
    return (await this.findAll([nameOrId])).get(nameOrId) ?? null;
  }

  /** By names or ids, in one statement; the result is keyed by what was asked for. */
  async findAll(namesOrIds: readonly string[]): Promise<Map<string, Collection>> {
    const ids = namesOrIds.filter(isUuid).map((id) => id.toLowerCase());
    const names = namesOrIds.filter((name) => !isUuid(name));
    const { rows } = await this.unitOfWork.query<CollectionRecord>(
      `SELECT ${COLUMNS} FROM collections WHERE id = ANY($1::uuid[]) OR name = ANY($2::text[])`,
      [ids, names],
    );
    const found = rows.map(collectionOf);
    const byKey = new Map(found.flatMap((collection) => [[collection.id, collection] as const, [collection.name, collection] as const]));
    return new Map(
      namesOrIds.flatMap((key) => {
        const collection = byKey.get(isUuid(key) ? key.toLowerCase() : key);
        return collection === undefined ? [] : [[key, collection] as const];
      }),
    );
  }

  /** All of them, by name. */
  async list(): Promise<Collection[]> {
    const { rows } = await this.unitOfWork.query<CollectionRecord>(`SELECT ${COLUMNS} FROM collections ORDER BY name`);
    return rows.map(collectionOf);
  }

  /** @throws DomainError `collections.not-found`, `request.precondition-failed`, `collections.name-taken`, `request.invalid` */
  async update(id: string, patch: CollectionPatch, expected: ExpectedVersions): Promise<Collection> {
    const parameters: unknown[] = [id, expected];
    const assignments = WRITABLE.filter(([name]) => patch[name] !== undefined).map(
      ([name, type]) => `${name} = $${parameters.push(valueOf(patch, name))}::${type}`,
    );
    // An empty patch must still meet the version.
    const statement =
      assignments.length === 0
        ? `SELECT ${COLUMNS} FROM collections WHERE ${MATCHES}`
        : `UPDATE collections SET ${assignments.join(', ')} WHERE ${MATCHES} RETURNING ${COLUMNS}`;
    const { rows } = await write(this.unitOfWork, statement, parameters);
    return rows[0] === undefined ? this.explainMiss(id) : collectionOf(rows[0]);
  }

  /** Takes its documents along. @throws DomainError `collections.not-found`, `request.precondition-failed` */
  async delete(id: string, expected: ExpectedVersions): Promise<void> {
    const { rows } = await this.unitOfWork.query(`DELETE FROM collections WHERE ${MATCHES} RETURNING id`, [id, expected]);
    if (rows.length === 0) await this.explainMiss(id);
  }

  private async explainMiss(id: string): Promise<never> {
    const { rows } = await this.unitOfWork.query('SELECT 1 FROM collections WHERE id = $1::uuid', [id]);
    throw new DomainError(rows.length === 0 ? 'collections.not-found' : 'request.precondition-failed');
  }
}

async function write(session: SqlSession, sql: string, parameters: unknown[]) {
  try {
    return await session.query<CollectionRecord>(sql, parameters);
  } catch (error) {
    if (isCheckViolation(error, OVERLAP_CONSTRAINT)) throw overlapTooLong(error);
    if (isUniqueViolation(error, NAME_CONSTRAINT)) throw new DomainError('collections.name-taken', { cause: error });
    throw error;
  }
}

/** In one statement with the write: a version that is checked in another one can be old by then. */
const MATCHES = 'id = $1::uuid AND ($2::int[] IS NULL OR version = ANY($2::int[]))';

/** A patch that names one of the two alone cannot be judged without the row. */
function overlapTooLong(cause: unknown): DomainError {
  const detail = 'must be at most half of chunk_tokens';
  return new DomainError('request.invalid', { cause, fields: [{ pointer: '/chunk_overlap_tokens', code: 'too-big', detail }] });
}

function valueOf(fields: CollectionPatch, name: keyof CollectionFields): unknown {
  return name === 'metadata_keys' ? JSON.stringify(fields[name]) : fields[name];
}

function collectionOf({ created_at_text, updated_at_text, ...row }: CollectionRecord): Collection {
  return { ...row, created_at: created_at_text, updated_at: updated_at_text };
}
