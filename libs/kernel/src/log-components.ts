/** From the fewest lines to the most. */
export const LOG_LEVELS = ['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'] as const;

export type LogLevel = (typeof LOG_LEVELS)[number];

/**
 * Who writes lines, by part of the house: the names that `new Logger(name)` is given. Levels are set by part, because nobody knows our classes by name.
 *
 * Logging names a context only, so this table says where each belongs; a test holds it against the code.
 */
export const CONTEXTS_OF_COMPONENT = {
  answers: ['Answers', 'Chat'],
  database: ['Database', 'EmbeddedPostgres'],
  documents: ['ChunkDeriver', 'DocumentChunker'],
  embeddings: ['EmbeddingWorkerPool', 'HubDownload'],
  erasure: ['Erasures'],
  /** What the framework says, and everybody who is not named here. */
  framework: [],
  http: ['Http'],
  idempotency: ['Idempotency'],
  ingestion: ['Imports', 'Jobs'],
  metrics: ['Metrics'],
  /** Start and stop. */
  process: ['Kindred', 'Process', 'Worker'],
  security: ['Access', 'AccessControl', 'AccessHook', 'AuditLog', 'KeyDirectory', 'RateLimits'],
  sync: [
    'CollectionAttacher',
    'ConsistencyTokens',
    'GenerationBootstrap',
    'GenerationCreator',
    'GenerationFiller',
    'GenerationGate',
    'GenerationManager',
    'Generations',
    'IndexRelay',
    'LocalIndexComparison',
    'QuickCheck',
    'Reconciler',
    'ReplicaFollower',
    'RestoreGuard',
    'RetiredCollections',
    'Schedules',
    'Sync',
  ],
  'vector-store': ['FailoverVectorStore', 'LocalVectorStore', 'QdrantVectorStore'],
} as const satisfies Readonly<Record<string, readonly string[]>>;

export type LogComponent = keyof typeof CONTEXTS_OF_COMPONENT;

export const LOG_COMPONENTS = Object.keys(CONTEXTS_OF_COMPONENT) as readonly LogComponent[];

export function isLogLevel(text: string): text is LogLevel {
  return (LOG_LEVELS as readonly string[]).includes(text);
}

export function isLogComponent(text: string): text is LogComponent {
  return (LOG_COMPONENTS as readonly string[]).includes(text);
}
