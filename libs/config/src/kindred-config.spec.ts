import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { InvalidEnvironmentError } from './environment.js';
import { loadConfig } from './kindred-config.js';

const QDRANT = { QDRANT_URL: 'http://qdrant:6333' };

function problemsOf(environment: Record<string, string>): string[] {
  try {
    loadConfig(environment);
  } catch (error) {
    if (error instanceof InvalidEnvironmentError) return error.problems.map(({ variable }) => variable);
    throw error;
  }
  return [];
}

describe('loadConfig', () => {
  it('gives the defaults of the public contract', () => {
    const config = loadConfig({});
    expect(config.server).toEqual({
      nodeEnv: 'development',
      host: '127.0.0.1',
      port: 3000,
      shutdownDelayMs: 0,
      isIfMatchRequired: false,
    });
    expect(config.data.dataDir).toBe(resolve('./data'));
    expect(config.log).toEqual({ level: 'info', levels: {} });
    expect([config.metrics.port, config.tracing.endpoint]).toEqual([null, null]);
    expect(config.database.url).toBeNull();
    expect(config.vectorStore).toEqual({
      kind: 'local',
      qdrantUrl: null,
      qdrantApiKey: null,
      collectionPrefix: 'kindred',
      searchTimeoutMs: 2000,
      fallback: 'none',
      fallbackMaxPoints: 200_000,
    });
    expect(config.embedding).toEqual({
      provider: 'local',
      model: 'all-MiniLM-L6-v2',
      dtype: 'q8',
      modelDir: null,
      downloadDir: resolve('./data/models'),
      hubUrl: 'https://huggingface.co',
      workers: availableParallelism(),
      maxTokens: 256,
      queryPrefix: '',
      documentPrefix: '',
      openAi: {
        baseUrl: 'https://api.openai.com/v1',
        apiKey: null,
        model: 'text-embedding-3-small',
        dimensions: null,
        revision: 'api.openai.com',
        maxTokens: 8191,
        batchSize: 64,
        timeoutMs: 30_000,
        queryTimeoutMs: 5_000,
      },
    });
    expect(config.sync).toEqual({ isInline: true, leaseMs: 6000, writeTimeoutMs: 2000, graceMs: 10_000, batchSize: 64, maxAttempts: 10 });
    expect(config.ingestion).toEqual({ maxBytes: 1_073_741_824, maxRows: 5_000_000, maxLineBytes: 1_048_576 });
    expect(config.search.defaultThreshold).toBe(0.3);
  });

  it('gives a remote index longer leases and timeouts than one in this process', () => {
    expect(loadConfig(QDRANT).sync).toMatchObject({ leaseMs: 30_000, writeTimeoutMs: 10_000, graceMs: 50_000 });
  });

  it('freezes itself and every slice', () => {
    const config = loadConfig({});
    expect(Object.isFrozen(config)).toBe(true);
    for (const [name, slice] of Object.entries(config)) expect([name, Object.isFrozen(slice)]).toEqual([name, true]);
    expect(() => Object.assign(config.server, { port: 1 })).toThrow(TypeError);
  });

  it('chooses the index: auto takes Qdrant exactly when it has an address', () => {
    expect(loadConfig({}).vectorStore.kind).toBe('local');
    expect(loadConfig(QDRANT).vectorStore).toMatchObject({ kind: 'qdrant', qdrantUrl: 'http://qdrant:6333' });
    expect(loadConfig({ QDRANT_HOST: 'q', QDRANT_PORT: '7000' }).vectorStore).toMatchObject({ kind: 'qdrant', qdrantUrl: 'http://q:7000' });
    expect(loadConfig({ ...QDRANT, VECTOR_STORE: 'local' }).vectorStore).toMatchObject({ kind: 'local', qdrantUrl: null });
  });

  it('derives the grace from lease and write timeout', () => {
    expect(loadConfig({ SYNC_LEASE_MS: '9000', SYNC_WRITE_TIMEOUT_MS: '3000' }).sync.graceMs).toBe(15_000);
  });

  it('refuses a lease in which a write cannot time out and be followed by a renewal', () => {
    expect(problemsOf({ SYNC_LEASE_MS: '3999', SYNC_WRITE_TIMEOUT_MS: '2000' })).toEqual(['SYNC_LEASE_MS']);
    expect(problemsOf({ SYNC_LEASE_MS: '4000', SYNC_WRITE_TIMEOUT_MS: '2000' })).toEqual([]);
    // The default of the timeout counts as well: 10 s with Qdrant.
    expect(problemsOf({ ...QDRANT, SYNC_LEASE_MS: '6000' })).toEqual(['SYNC_LEASE_MS']);
  });

  it('refuses a grace within which a late write may still land', () => {
    expect(problemsOf({ SYNC_GRACE_MS: '8000' })).toEqual(['SYNC_GRACE_MS']);
    expect(problemsOf({ SYNC_GRACE_MS: '8001' })).toEqual([]);
  });

  it('names bad timings together with everything else that is wrong', () => {
    expect(problemsOf({ PORT: 'x', SYNC_LEASE_MS: '1000', SYNC_GRACE_MS: '1000' }).sort()).toEqual([
      'PORT',
      'SYNC_GRACE_MS',
      'SYNC_LEASE_MS',
    ]);
  });

  it('does not judge timings while one of their inputs is unknown', () => {
    expect(problemsOf({ SYNC_WRITE_TIMEOUT_MS: 'x', SYNC_LEASE_MS: '1000' })).toEqual(['SYNC_WRITE_TIMEOUT_MS']);
    expect(problemsOf({ VECTOR_STORE: 'x', SYNC_LEASE_MS: '1000' })).toEqual(['VECTOR_STORE']);
  });

  it('calls an OpenAI-compatible service by its host, or as the operator does, and puts one slash before its paths', () => {
    const service = { OPENAI_BASE_URL: 'http://embeddings:8080/v1/', OPENAI_API_KEY: 'sk' };
    expect(loadConfig(service).embedding.openAi).toMatchObject({ baseUrl: 'http://embeddings:8080/v1', revision: 'embeddings:8080' });
    expect(loadConfig({ ...service, OPENAI_EMBEDDING_REVISION: 'ours' }).embedding.openAi.revision).toBe('ours');
  });

  it('lets a service write answers only when a model for that is named', () => {
    const service = { OPENAI_BASE_URL: 'http://writer:8080/v1/', OPENAI_API_KEY: 'sk' };
    expect(loadConfig(service).answers).toEqual({ openAi: null, historyDays: 30 });
    expect(loadConfig({ ...service, OPENAI_GENERATION_MODEL: 'writer', OPENAI_MAX_TOKENS: '300' }).answers.openAi).toEqual({
      baseUrl: 'http://writer:8080/v1',
      apiKey: 'sk',
      model: 'writer',
      maxTokens: 300,
      timeoutMs: 30_000,
    });
  });

  it('takes origins by their exact names', () => {
    expect(loadConfig({ CORS_ORIGINS: 'https://app.example, http://localhost:5173' }).security.corsOrigins).toEqual([
      'https://app.example',
      'http://localhost:5173',
    ]);
  });

  it('makes folders absolute, so that a later change of directory does not move them', () => {
    const config = loadConfig({ DATA_DIR: 'd', EMBEDDING_MODEL_DIR: 'm' });
    expect([config.data.dataDir, config.embedding.modelDir]).toEqual([resolve('d'), resolve('m')]);
    expect(config.erasure.logFile).toBe(resolve('d/erasures.ndjson'));
    expect(loadConfig({ ERASURE_LOG: 'e' }).erasure.logFile).toBe(resolve('e'));
  });

  it.each([
    [{}, 'local'],
    [{ HOST: 'localhost' }, 'local'],
    [{ HOST: '::1' }, 'local'],
    [{ HOST: '0.0.0.0' }, 'required'],
    [{ HOST: '10.0.0.5' }, 'required'],
    [{ NODE_ENV: 'production' }, 'required'],
    [{ AUTH: 'required' }, 'required'],
    [{ AUTH: 'off', HOST: '0.0.0.0' }, 'open'],
    [{ AUTH: 'off' }, 'open'],
  ] as const)('%j: keys are %s', (environment, access) => {
    expect(loadConfig(environment as Record<string, string>).security.access).toBe(access);
  });

  it('does not let production go without keys', () => {
    expect(problemsOf({ NODE_ENV: 'production', AUTH: 'off' })).toEqual(['AUTH']);
  });

  it('reads the list of proxies', () => {
    expect(loadConfig({ TRUSTED_PROXIES: '10.0.0.0/8, ::1' }).security.trustedProxies).toEqual(['10.0.0.0/8', '::1']);
  });
});
