import { environmentSchema, InvalidEnvironmentError, parseEnvironment, type Environment } from './environment.js';

/** Stands for a secret: wherever it turns up in a message, a value has leaked. */
const CANARY = 'canary-7f3a';

function refusalOf(environment: Environment): InvalidEnvironmentError {
  try {
    parseEnvironment(environment);
  } catch (error) {
    if (error instanceof InvalidEnvironmentError) return error;
    throw error;
  }
  throw new Error('The environment was accepted');
}

const variablesOf = (error: InvalidEnvironmentError) => error.problems.map(({ variable }) => variable);

/** One refused value per variable; strings without a rule cannot be refused. */
const BAD_VALUES: Readonly<Record<string, readonly string[]>> = {
  NODE_ENV: [CANARY, 'Production'],
  SHUTDOWN_DELAY_MS: [CANARY, '-1', '15001'],
  PORT: [CANARY, '-1', '65536', '3000.5', '0x10', ' 3000', '1e3'],
  OTEL_EXPORTER_OTLP_ENDPOINT: [CANARY, `ftp://${CANARY}`, `http://user:${CANARY}@host`],
  METRICS_PORT: [CANARY, '-1', '65536', '3000'],
  LOG_LEVEL: [CANARY, 'verbose', `info,${CANARY}=debug`, `info,sync=${CANARY}`],
  CORS_ORIGINS: [
    CANARY,
    '*',
    `https://${CANARY}/`,
    `https://${CANARY}/path`,
    `https://user:${CANARY}@host`,
    `ftp://${CANARY}`,
    `https://app.example,${CANARY}`,
    `https://app.example,`,
    `https://APP.example`,
    'null',
  ],
  DATABASE_URL: [CANARY, `mysql://root:${CANARY}@host/db`, `//${CANARY}`],
  VECTOR_STORE: [CANARY, 'Qdrant'],
  QDRANT_URL: [CANARY, `ftp://${CANARY}`, `${CANARY}:6333`],
  QDRANT_ALLOW_PLAINTEXT: [CANARY, '1', 'yes'],
  QDRANT_PORT: [CANARY, '0', '65536'],
  QDRANT_COLLECTION_PREFIX: [`${CANARY} `, 'a/b', 'x'.repeat(65)],
  QDRANT_TIMEOUT_MS: [CANARY, '49', '60001'],
  VECTOR_FALLBACK: [CANARY, 'Local', 'qdrant'],
  VECTOR_FALLBACK_MAX_POINTS: [CANARY, '0', '100000001'],
  EMBEDDING_WORKERS: [CANARY, '0', '65'],
  EMBEDDING_PROVIDER: [CANARY, 'OpenAI'],
  EMBEDDING_DTYPE: [CANARY, 'int8', 'Q8'],
  EMBEDDING_HUB_URL: [CANARY, `ftp://${CANARY}`, `https://user:${CANARY}@hub`],
  EMBEDDING_MAX_TOKENS: [CANARY, '7', '8193'],
  OPENAI_BASE_URL: [CANARY, `ftp://${CANARY}`, `https://${CANARY}@host/v1`, `https://host/v1?key=${CANARY}`, `https://host/v1#${CANARY}`],
  OPENAI_EMBEDDING_DIMENSIONS: [CANARY, '0', '16385'],
  OPENAI_EMBEDDING_REVISION: [`${CANARY} `, 'a/b', 'x'.repeat(65)],
  OPENAI_EMBEDDING_MAX_TOKENS: [CANARY, '7', '100001'],
  OPENAI_EMBEDDING_BATCH_SIZE: [CANARY, '0', '2049'],
  OPENAI_EMBEDDING_TIMEOUT_MS: [CANARY, '99', '600001'],
  OPENAI_EMBEDDING_QUERY_TIMEOUT_MS: [CANARY, '99', '60001'],
  OPENAI_MAX_TOKENS: [CANARY, '15', '32769'],
  OPENAI_GENERATION_TIMEOUT_MS: [CANARY, '99', '600001'],
  CHAT_HISTORY_DAYS: [CANARY, '0', '3651'],
  SYNC_INLINE: [CANARY, '1', 'TRUE', 'yes'],
  SYNC_LEASE_MS: [CANARY, '999', '600001'],
  SYNC_WRITE_TIMEOUT_MS: [CANARY, '99', '300001'],
  SYNC_GRACE_MS: [CANARY, '999', '3600001'],
  SYNC_BATCH_SIZE: [CANARY, '0', '257'],
  SYNC_MAX_ATTEMPTS: [CANARY, '0', '1001'],
  SCHEDULE_QUICK_CHECK: [CANARY, '* * *', '61 * * * *'],
  SCHEDULE_RECONCILE: [CANARY, 'daily', '0 0 30 2 *'],
  SCHEDULE_TOMBSTONE_PURGE: [CANARY, 'Off'],
  SCHEDULE_CACHE_PURGE: [CANARY, '0 25 * * *'],
  SCHEDULE_STATISTICS: [CANARY, '* * * * 9'],
  IMPORT_MAX_BYTES: [CANARY, '1023', '1099511627777'],
  IMPORT_MAX_ROWS: [CANARY, '0', '100000001'],
  IMPORT_MAX_LINE_BYTES: [CANARY, '1023', '67108865'],
  SIMILARITY_THRESHOLD: [CANARY, '-1.01', '1.01', 'NaN', '.5'],
  REQUIRE_IF_MATCH: [CANARY, '0', 'False'],
  KINDRED_API_KEY: [`${CANARY} `, `${CANARY}\n`, `ü${CANARY}`, 'x'.repeat(513)],
  KINDRED_ALLOW_PLAINTEXT: [CANARY, '1', 'yes'],
  AUTH: [CANARY, 'Required', 'on'],
  KINDRED_BOOTSTRAP_KEY: [`${CANARY} ${CANARY} ${CANARY}`, 'x'.repeat(21), 'x'.repeat(513)],
  API_KEY_PEPPER: [`${CANARY} ${CANARY} ${CANARY}`, 'x'.repeat(21), 'x'.repeat(513)],
  TRUSTED_PROXIES: [CANARY, '10.0.0.0/33', '10.0.0.1,', 'localhost'],
  RATE_LIMIT_PER_MINUTE: [CANARY, '-1', '100000001'],
  RATE_LIMIT_ADDRESS_PER_MINUTE: [CANARY, '-1', '100000001'],
  OVERLOAD_WAIT_MS: [CANARY, '-1', '60001'],
};
const FREE_TEXT = [
  'HOST',
  'DATA_DIR',
  'ERASURE_LOG',
  'DATABASE_CA_FILE',
  'QDRANT_HOST',
  'QDRANT_API_KEY',
  'EMBEDDING_MODEL',
  'EMBEDDING_MODEL_DIR',
  'EMBEDDING_QUERY_PREFIX',
  'EMBEDDING_DOCUMENT_PREFIX',
  'OPENAI_API_KEY',
  'OPENAI_EMBEDDING_MODEL',
  'OPENAI_GENERATION_MODEL',
];
const cases = Object.entries(BAD_VALUES).flatMap(([variable, values]) => values.map((value) => [variable, value] as const));

describe('parseEnvironment', () => {
  it('has a bad value below for every variable with a rule', () => {
    expect([...Object.keys(BAD_VALUES), ...FREE_TEXT].sort()).toEqual(Object.keys(environmentSchema.shape).sort());
  });

  it.each(cases)('refuses %s=%j, names it and does not print the value', (variable, value) => {
    const error = refusalOf({ [variable]: value });
    expect(variablesOf(error)).toEqual([variable]);
    expect(error.message).toContain(`${variable} must be`);
    expect(error.message).not.toContain(CANARY);
    expect(JSON.stringify(error.problems)).not.toContain(CANARY);
    expect(String(error.stack)).not.toContain(CANARY);
    expect(error.cause).toBeUndefined();
  });

  it('names everything that is wrong at once, rules over several variables included', () => {
    const bad = Object.fromEntries(Object.entries(BAD_VALUES).map(([variable, values]) => [variable, values[0]]));
    expect(variablesOf(refusalOf(bad)).sort()).toEqual(Object.keys(BAD_VALUES).sort());
    const mixed = refusalOf({
      PORT: CANARY,
      QDRANT_URL: `http://${CANARY}`,
      QDRANT_HOST: CANARY,
      QDRANT_API_KEY: CANARY,
      QDRANT_API_KEY_FILE: CANARY,
    });
    expect(variablesOf(mixed).sort()).toEqual(['PORT', 'QDRANT_API_KEY', 'QDRANT_HOST']);
    expect(mixed.message).not.toContain(CANARY);
  });

  it('takes an empty value for none', () => {
    const empty = Object.fromEntries([...Object.keys(environmentSchema.shape), 'DATABASE_URL_FILE'].map((variable) => [variable, '']));
    expect(parseEnvironment(empty)).toEqual(parseEnvironment({}));
  });

  it('does not trim or guess: a value is used as it is', () => {
    expect(parseEnvironment({ EMBEDDING_QUERY_PREFIX: 'query: ' }).EMBEDDING_QUERY_PREFIX).toBe('query: ');
  });

  it.each([
    ['PORT', '0', 0],
    ['PORT', '65535', 65535],
    ['SIMILARITY_THRESHOLD', '-1', -1],
    ['SIMILARITY_THRESHOLD', '1', 1],
    ['EMBEDDING_WORKERS', '64', 64],
    ['SYNC_INLINE', 'false', false],
    ['REQUIRE_IF_MATCH', 'true', true],
  ] as const)('accepts %s=%s', (variable, value, parsed) => {
    expect(parseEnvironment({ [variable]: value })[variable]).toBe(parsed);
  });

  it('ignores variables of others', () => {
    expect(parseEnvironment({ PATH: '/bin', QDRANT_TIMEOUT: 'x' })).toEqual(parseEnvironment({}));
  });

  it('refuses QDRANT_URL together with QDRANT_HOST, because one of them would be ignored', () => {
    expect(variablesOf(refusalOf({ QDRANT_URL: 'http://a:6333', QDRANT_HOST: 'b' }))).toEqual(['QDRANT_HOST']);
  });

  it('refuses VECTOR_STORE=qdrant without an address', () => {
    expect(variablesOf(refusalOf({ VECTOR_STORE: 'qdrant' }))).toEqual(['QDRANT_URL']);
    expect(parseEnvironment({ VECTOR_STORE: 'qdrant', QDRANT_HOST: 'b' }).QDRANT_PORT).toBe(6333);
  });

  it('refuses EMBEDDING_PROVIDER=openai at the address of OpenAI without a key; another service may need none', () => {
    expect(variablesOf(refusalOf({ EMBEDDING_PROVIDER: 'openai' }))).toEqual(['OPENAI_API_KEY']);
    expect(parseEnvironment({ EMBEDDING_PROVIDER: 'openai', OPENAI_API_KEY: 'sk' })).toBeDefined();
    expect(parseEnvironment({ EMBEDDING_PROVIDER: 'openai', OPENAI_BASE_URL: 'http://embeddings:8080/v1' })).toBeDefined();
  });

  it('does not let the answers of OpenAI itself be without a key', () => {
    expect(variablesOf(refusalOf({ OPENAI_GENERATION_MODEL: 'writer' }))).toEqual(['OPENAI_API_KEY']);
    expect(variablesOf(refusalOf({ OPENAI_GENERATION_MODEL: 'writer', EMBEDDING_PROVIDER: 'openai' }))).toEqual(['OPENAI_API_KEY']);
    expect(parseEnvironment({ OPENAI_GENERATION_MODEL: 'writer', OPENAI_API_KEY: 'sk' })).toBeDefined();
    expect(parseEnvironment({ OPENAI_GENERATION_MODEL: 'writer', OPENAI_BASE_URL: 'http://writer:8080/v1' })).toBeDefined();
  });

  it.each(['http://qdrant:6333', 'http://10.0.0.7:6333', 'http://localhost.example:6333', 'http://127.0.0.1.example:6333'])(
    'sends no key of Qdrant in the clear to %s',
    (url) => {
      const refusal = refusalOf({ QDRANT_URL: url, QDRANT_API_KEY: CANARY });
      expect(variablesOf(refusal)).toEqual(['QDRANT_URL']);
      expect(refusal.message).toContain('QDRANT_ALLOW_PLAINTEXT');
      expect(refusal.message).not.toContain(CANARY);
      expect(parseEnvironment({ QDRANT_URL: url, QDRANT_API_KEY: CANARY, QDRANT_ALLOW_PLAINTEXT: 'true' })).toBeDefined();
      expect(parseEnvironment({ QDRANT_URL: url })).toBeDefined();
      expect(parseEnvironment({ QDRANT_URL: url, QDRANT_API_KEY: CANARY, VECTOR_STORE: 'local' })).toBeDefined();
    },
  );

  it('knows the host form as well, and what stays on this machine or is encrypted', () => {
    expect(variablesOf(refusalOf({ QDRANT_HOST: 'qdrant', QDRANT_API_KEY: CANARY }))).toEqual(['QDRANT_HOST']);
    for (const url of ['https://qdrant:6333', 'http://localhost:6333', 'http://127.0.0.1:6333', 'http://[::1]:6333'])
      expect(parseEnvironment({ QDRANT_URL: url, QDRANT_API_KEY: CANARY })).toBeDefined();
  });

  it('refuses a certificate that would verify nothing', () => {
    const file = { DATABASE_CA_FILE: '/nowhere/ca.pem' };
    const database = 'postgres://db.example/kindred';
    for (const environment of [
      file,
      { ...file, DATABASE_URL: `${database}?sslmode=disable` },
      { ...file, DATABASE_URL: `${database}?sslmode=no-verify` },
      { ...file, DATABASE_URL: database },
    ])
      expect(variablesOf(refusalOf(environment))).toEqual(['DATABASE_CA_FILE']);
    expect(variablesOf(refusalOf({ DATABASE_URL: `${database}?sslmode=verify-ca` }))).toEqual(['DATABASE_URL']);
  });

  it('does not call a variable missing that is there, but wrong', () => {
    expect(refusalOf({ VECTOR_STORE: 'qdrant', QDRANT_URL: 'qdrant:6333' }).problems).toEqual([
      { variable: 'QDRANT_URL', rule: 'must be a URL with http: or https:' },
    ]);
  });
});
