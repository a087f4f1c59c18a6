import { EmbeddingCacheEntity } from './embedding-cache.entity.js';
import { IndexCertificateEntity } from './index-certificate.entity.js';
import { IndexGenerationEntity } from './index-generation.entity.js';
import { IndexLedgerEntity } from './index-ledger.entity.js';
import { KindredIdentityEntity } from './kindred-identity.entity.js';
import { SyncLeaseEntity } from './sync-lease.entity.js';
import { SyncScheduleRunEntity } from './sync-schedule-run.entity.js';

/** The tables of the engine, for the data source that compares mapping and schema. */
export const SYNC_ENTITIES = [
  IndexGenerationEntity,
  IndexLedgerEntity,
  EmbeddingCacheEntity,
  KindredIdentityEntity,
  SyncLeaseEntity,
  IndexCertificateEntity,
  SyncScheduleRunEntity,
];
