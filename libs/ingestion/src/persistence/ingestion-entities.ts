import { IngestionExternalIdEntity } from './ingestion-external-id.entity.js';
import { IngestionJobEntity } from './ingestion-job.entity.js';
import { IngestionPieceEntity } from './ingestion-piece.entity.js';
import { IngestionProblemEntity } from './ingestion-problem.entity.js';
import { PgvectorImportEntity } from './pgvector-import.entity.js';

/** The tables of imports, for the data source that compares mapping and schema. */
export const INGESTION_ENTITIES = [
  IngestionJobEntity,
  IngestionPieceEntity,
  IngestionProblemEntity,
  IngestionExternalIdEntity,
  PgvectorImportEntity,
];
