import { DocumentRepository, type Document, type DocumentFilter } from '#documents';
import { ProjectRepository, type Project, type ProjectListQuery } from '#projects';
import { Injectable } from '@nestjs/common';
import { CollectionLookup } from '../collection-lookup.js';
import { exportRows, type ExportFormat } from './export-rows.js';

/** Rows of one statement, which are in memory at once: a document may have 300,000 characters. */
const PROJECTS_PER_PAGE = 200;
const DOCUMENTS_PER_PAGE = 20;

/** The order of both: no write changes when a row was made. */
const OLDEST_FIRST = { column: 'created_at', isDescending: false } as const;

/** All columns of the API, in its order. An import takes the file back: it leaves the read-only ones out. */
const PROJECT_COLUMNS = [
  'id',
  'name',
  'description',
  'project_type',
  'region',
  'wood_type',
  'total_area_sqm',
  'complexity',
  'final_price',
  'currency',
  'completed_on',
  'external_id',
  'version',
  'created_at',
  'updated_at',
] as const satisfies readonly (keyof Project)[];

const DOCUMENT_COLUMNS = [
  'id',
  'collection_id',
  'collection',
  'title',
  'content',
  'kind',
  'external_id',
  'source_uri',
  'language',
  'metadata',
  'version',
  'chunked_version',
  'created_at',
  'updated_at',
] as const satisfies readonly (keyof Document)[];

/** Rows as text, for files. */
@Injectable()
export class ExportsService {
  constructor(
    private readonly projects: ProjectRepository,
    private readonly documents: DocumentRepository,
    private readonly collections: CollectionLookup,
  ) {}

  exportProjects(format: ExportFormat, filter: Pick<ProjectListQuery, 'filter' | 'externalId'>) {
    return (signal: AbortSignal): AsyncGenerator<string> =>
      exportRows<Project>(
        format,
        PROJECT_COLUMNS,
        (last) => this.projects.list({ ...filter, sort: OLDEST_FIRST, limit: PROJECTS_PER_PAGE, after: positionOf(last) }),
        signal,
      );
  }

  /** @throws DomainError `collections.unknown` */
  async exportDocuments(
    format: ExportFormat,
    { collection, ...rest }: Omit<DocumentFilter, 'collectionId'> & { collection: string | null },
  ) {
    const collectionId = collection === null ? null : await this.collections.idOf(collection);
    return (signal: AbortSignal): AsyncGenerator<string> =>
      exportRows<Document>(
        format,
        DOCUMENT_COLUMNS,
        (last) =>
          this.documents.list({
            filter: { ...rest, collectionId },
            sort: OLDEST_FIRST,
            limit: DOCUMENTS_PER_PAGE,
            after: positionOf(last),
          }),
        signal,
      );
  }
}

function positionOf(row: { readonly id: string; readonly created_at: string } | null) {
  return row === null ? null : { value: row.created_at, id: row.id };
}
