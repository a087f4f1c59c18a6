import { EmbeddingCacheEntity } from './embedding-cache.entity.js';
import { IndexGenerationEntity } from './index-generation.entity.js';
import { IndexLedgerEntity } from './index-ledger.entity.js';

/** The tables of the engine, for the data source that compares mapping and schema. */
export const SYNC_ENTITIES = [IndexGenerationEntity, IndexLedgerEntity, EmbeddingCacheEntity];
