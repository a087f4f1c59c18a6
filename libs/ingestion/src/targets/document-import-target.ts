import {
  collectionReference,
  CollectionRepository,
  DOCUMENT_SOURCE,
  documentBodySchema,
  DocumentWriter,
  findMetadataProblems,
  unknownCollection,
  type Collection,
  type DocumentInput,
  type NewDocument,
} from '#documents';
import type { FieldProblem } from '#kernel';
import { Injectable } from '@nestjs/common';
import type { ImportOptions } from '../import-job.js';
import { ImportTarget, type ImportRow, type PreparedWrite, type ResolvedRow, type ResolvedRows, type RowWriter } from '../import-target.js';
import type { CellType } from '../parsing/csv-cells.js';
import type { CsvFields } from '../parsing/csv-header.js';

const CELL_TYPES: Readonly<Record<keyof DocumentInput, CellType>> = {
  collection: 'text',
  title: 'text',
  content: 'text',
  kind: 'text',
  external_id: 'text',
  source_uri: 'text',
  language: 'text',
  metadata: 'json',
};

/** Documents, by their external ids within a collection, with their chunks. */
@Injectable()
export class DocumentImportTarget extends ImportTarget {
  readonly kind = 'documents';
  readonly source = DOCUMENT_SOURCE;
  readonly formats = ['ndjson', 'csv', 'markdown', 'text'] as const;

  constructor(
    private readonly collections: CollectionRepository,
    private readonly writer: DocumentWriter,
  ) {
    super();
  }

  open({ collectionId }: ImportOptions): RowWriter {
    return new DocumentRowWriter(this.collections, this.writer, collectionId) as RowWriter;
  }
}

/** A document whose collection has been found. */
interface PlacedDocument {
  readonly document: NewDocument;
  readonly collection: Collection;
}

class DocumentRowWriter implements RowWriter<DocumentInput, PlacedDocument> {
  readonly schema;
  readonly csv: CsvFields;

  /** @param collectionId of rows that name no collection; `null` = each has to */
  constructor(
    private readonly collections: CollectionRepository,
    private readonly writer: DocumentWriter,
    collectionId: string | null,
  ) {
    this.schema =
      collectionId === null ? documentBodySchema : documentBodySchema.extend({ collection: collectionReference.default(collectionId) });
    this.csv = {
      types: new Map(Object.entries(CELL_TYPES)),
      // One pair of question and answer per row.
      aliases: new Map([
        ['question', 'title'],
        ['answer', 'content'],
      ]),
      required: ['title', 'content', ...(collectionId === null ? ['collection'] : [])],
      readOnly: ['id', 'collection_id', 'version', 'chunked_version', 'created_at', 'updated_at'],
    };
  }

  async resolve(rows: readonly ImportRow<DocumentInput>[]): Promise<ResolvedRows<PlacedDocument>> {
    const found = await this.collections.findAll([...new Set(rows.map(({ fields }) => fields.collection))]);
    const refused = new Map<number, readonly FieldProblem[]>();
    const placed = rows.flatMap(({ id, line, fields: { collection: name, ...fields } }): ResolvedRow<PlacedDocument>[] => {
      const collection = found.get(name);
      const problems =
        collection === undefined
          ? unknownCollection('/collection').fields
          : findMetadataProblems(fields.metadata, collection.metadata_keys);
      if (collection === undefined || problems.length > 0) {
        refused.set(line, problems);
        return [];
      }
      const key = fields.external_id === null ? null : `${collection.id} ${fields.external_id}`;
      return [{ id, line, key, fields: { collection, document: { ...fields, id, collection_id: collection.id } } }];
    });
    return { rows: placed, refused };
  }

  async prepare(rows: readonly ResolvedRow<PlacedDocument>[]): Promise<PreparedWrite> {
    const collections = new Map(rows.map(({ fields: { collection } }) => [collection.id, collection]));
    const prepared = await this.writer.prepare(
      rows.map(({ fields: { document } }) => document),
      collections,
    );
    return async (session) => {
      const counts = { inserted: 0, updated: 0, unchanged: 0 };
      for (const { outcome } of await this.writer.upsert(session, prepared)) counts[outcome]++;
      return counts;
    };
  }
}
