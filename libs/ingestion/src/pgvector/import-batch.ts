import type { Collection, NewDocument } from '#documents';
import type { ImportCollections } from './import-collections.js';
import { documentOfRow } from './row-rules.js';
import type { RefusedRow, SourceRow } from './source-row.js';
import { parseVectorText } from './vector-text.js';

/** A row that has passed the rules. */
export interface AcceptedRow {
  readonly document: NewDocument;
  /** `null` = the source has none, or none are kept. */
  readonly vector: Float32Array | null;
}

export interface ImportBatch {
  readonly accepted: readonly AcceptedRow[];
  readonly refused: readonly RefusedRow[];
  /** Of the accepted rows, by id. */
  readonly collections: ReadonlyMap<string, Collection>;
}

/** Turns a page of the source into documents. @param dimensions of vectors that are kept; `null` = none are */
export async function importBatchOf(
  page: readonly SourceRow[],
  collections: ImportCollections,
  dimensions: number | null,
): Promise<ImportBatch> {
  const accepted: AcceptedRow[] = [];
  const refused: RefusedRow[] = [];
  const used = new Map<string, Collection>();
  const occurrences = new Map<string, number>();
  for (const { id } of page) occurrences.set(id, (occurrences.get(id) ?? 0) + 1);
  for (const row of page) {
    const times = occurrences.get(row.id)!;
    // Which of them came first is chance: to take one would give another result every time.
    const outcome = times > 1 ? `the id occurs ${times} times` : await acceptedRowOf(row, collections, dimensions);
    if (typeof outcome === 'string') refused.push({ id: row.id, reason: outcome });
    else {
      accepted.push(outcome.row);
      used.set(outcome.collection.id, outcome.collection);
    }
  }
  return { accepted, refused, collections: used };
}

async function acceptedRowOf(
  row: SourceRow,
  collections: ImportCollections,
  dimensions: number | null,
): Promise<{ readonly row: AcceptedRow; readonly collection: Collection } | string> {
  const text = row.values.vector ?? null;
  const vector = dimensions === null || text === null ? null : parseVectorText(text, dimensions);
  if (typeof vector === 'string') return vector;
  const collection = await collections.get(collections.nameOf(row.values.collection));
  if (typeof collection === 'string') return collection;
  const fields = documentOfRow(row, collection);
  if (typeof fields === 'string') return fields;
  return { row: { document: { ...fields, collection_id: collection.id }, vector }, collection };
}
