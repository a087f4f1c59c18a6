import { join } from 'node:path';
import type { DataConfig, SyncConfig, VectorStoreConfig } from '#config';
import { LocalVectorStore } from './local/local-vector-store.js';
import { QdrantVectorStore } from './qdrant/qdrant-vector-store.js';
import type { VectorStore } from './vector-store.js';

/** Snapshots of the local store, below the data directory. */
const LOCAL_FOLDER = 'index';

/** Builds the adapter that the configuration names, not opened. */
export function createVectorStore(config: VectorStoreConfig, { dataDir }: DataConfig, { writeTimeoutMs }: SyncConfig): VectorStore {
  const { qdrantUrl, qdrantApiKey, searchTimeoutMs } = config;
  if (qdrantUrl === null) return new LocalVectorStore({ folder: join(dataDir, LOCAL_FOLDER), searchTimeoutMs, writeTimeoutMs });
  return new QdrantVectorStore({ url: qdrantUrl, apiKey: qdrantApiKey, searchTimeoutMs, writeTimeoutMs });
}
