import type { SqlSession } from '#database';
import type { ErasureKind } from '../erasure-record.js';
import { ErasurePlace, type PlaceFinding } from '../erasure-place.js';
import type { ErasureSubject } from '../erasure.js';

const THERE: Readonly<Record<ErasureKind, string>> = {
  project: 'SELECT (SELECT count(*) FROM projects WHERE id = $1::uuid)::int AS count',
  document: `SELECT ((SELECT count(*) FROM documents WHERE id = $1::uuid) + (SELECT count(*) FROM chunks WHERE document_id = $1::uuid))::int AS count`,
};

/** The row itself, and the chunks of a document; they went in the transaction that began the erasure. */
export class RowPlace extends ErasurePlace {
  readonly name = 'row';

  constructor(private readonly session: SqlSession) {
    super();
  }

  override get waitsForIndex(): boolean {
    return false;
  }

  async erase({ kind, targetId }: ErasureSubject): Promise<PlaceFinding[]> {
    const { rows } = await this.session.query<{ count: number }>(THERE[kind], [targetId]);
    return rows[0]!.count === 0 ? [{ isGone: true }] : [{ isGone: false, detail: 'a row with this id is there again' }];
  }
}
