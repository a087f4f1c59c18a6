import type { MigrationInterface } from 'typeorm';
import { Foundation1790000000001 } from './0001-foundation.js';
import { SyncEngine1790000000002 } from './0002-sync-engine.js';
import { Documents1790000000003 } from './0003-documents.js';
import { KeywordSearch1790000000004 } from './0004-keyword-search.js';
import { Ingestion1790000000005 } from './0005-ingestion.js';
import { Conversations1790000000006 } from './0006-conversations.js';
import { PgvectorImports1790000000007 } from './0007-pgvector-imports.js';
import { CurrentChunks1790000000008 } from './0008-current-chunks.js';
import { Access1790000000009 } from './0009-access.js';
import { RateLimits1790000000010 } from './0010-rate-limits.js';
import { IdempotencyKeys1790000000011 } from './0011-idempotency-keys.js';
import { Erasures1790000000012 } from './0012-erasures.js';
import { MutedDeadLetters1790000000013 } from './0013-muted-dead-letters.js';
import { OrderedIds1790000000014 } from './0014-ordered-ids.js';

/** Every migration, oldest first. Written out, so that what runs never depends on which files happen to lie in a folder. */
export const MIGRATIONS: readonly (new () => MigrationInterface)[] = [
  Foundation1790000000001,
  SyncEngine1790000000002,
  Documents1790000000003,
  KeywordSearch1790000000004,
  Ingestion1790000000005,
  Conversations1790000000006,
  PgvectorImports1790000000007,
  CurrentChunks1790000000008,
  Access1790000000009,
  RateLimits1790000000010,
  IdempotencyKeys1790000000011,
  Erasures1790000000012,
  MutedDeadLetters1790000000013,
  OrderedIds1790000000014,
];
