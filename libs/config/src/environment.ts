import { FatalStartupError, isAddressRange, isLoopbackHost } from '#kernel';
import { CronTime } from 'cron';
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { parseLogSettings } from './log-settings.js';

/** A variable as it reaches the process: absent and empty mean the same, so that `VAR=` in a file switches a default back on. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Variables that hold secrets: each may instead be given as `<NAME>_FILE`, the path of a file with the value. */
export const SECRET_VARIABLES = [
  'DATABASE_URL',
  'QDRANT_API_KEY',
  'OPENAI_API_KEY',
  'KINDRED_API_KEY',
  'KINDRED_BOOTSTRAP_KEY',
  'API_KEY_PEPPER',
] as const;

const integer = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^-?\d+$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(minimum, `must be at least ${minimum}`).max(maximum, `must be at most ${maximum}`));

const decimal = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^-?\d+(\.\d+)?$/, 'must be a number')
    .transform(Number)
    .pipe(z.number().min(minimum, `must be at least ${minimum}`).max(maximum, `must be at most ${maximum}`));

const flag = z.enum(['true', 'false'], 'must be true or false').transform((text) => text === 'true');

/** Whether it is a cron expression, and one that some day matches: the 30th of February never comes. */
function hasTimes(expression: string): boolean {
  try {
    new CronTime(expression, 'UTC').sendAt();
    return true;
  } catch {
    return false;
  }
}

/** `off`, or a cron expression in UTC with five fields (or six, seconds first). */
const schedule = z
  .string()
  .refine((text) => text === 'off' || hasTimes(text), 'must be a cron expression (minute hour day month weekday, in UTC) or off');

const logSettings = z.string().superRefine((text, context) => {
  const settings = parseLogSettings(text);
  if (typeof settings === 'string') context.addIssue({ code: 'custom', message: settings });
});

const url = (protocols: readonly string[]) =>
  z.string().refine(
    (text) => {
      try {
        return protocols.includes(new URL(text).protocol);
      } catch {
        return false;
      }
    },
    `must be a URL with ${protocols.join(' or ')}`,
  );

/** The address of an API whose paths are put behind it; a key in it would end up in logs. */
const baseUrl = z.string().refine((text) => {
  try {
    const { protocol, username, password, search, hash } = new URL(text);
    return /^https?:$/.test(protocol) && username + password + search + hash === '';
  } catch {
    return false;
  }
}, 'must be a URL with http: or https:, without user, password, query and fragment');

/** 128 random bits in base64; what is shorter can be guessed. */
const SECRET_PATTERN = /^[\x21-\x7e]{22,512}$/;
const SECRET_RULE = 'must be 22 to 512 printable characters without spaces, from a generator such as openssl rand -hex 32';

/** The parts of a list with commas. */
export const listOf = (text: string): string[] => text.split(',').map((part) => part.trim());

/** Addresses and ranges, separated by commas. */
const addressRanges = z
  .string()
  .refine((text) => listOf(text).every(isAddressRange), 'must be addresses or ranges such as 10.0.0.0/8, separated by commas');

/** Origins as browsers name them, separated by commas: `https://app.example`, with a port where it is not the usual one, and nothing behind it. */
const origins = z
  .string()
  .transform(listOf)
  .refine((list) => list.every(isOrigin), 'must be origins like https://app.example, separated by commas; * is not one');

function isOrigin(text: string): boolean {
  try {
    const { protocol, origin } = new URL(text);
    return /^https?:$/.test(protocol) && origin === text;
  } catch {
    return false;
  }
}

/** What OpenAI's own address is, and what is therefore not complete without a key. */
const OPENAI_URL = 'https://api.openai.com/v1';

/** Every variable that Kindred reads, with its rule. `.env.example` is tested against these keys. */
export const environmentSchema = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production'], 'must be development, test or production').default('development'),
  HOST: z.string().default('127.0.0.1'),
  PORT: integer(0, 65535).default(3000),
  METRICS_PORT: integer(0, 65535).optional(),
  OTEL_EXPORTER_OTLP_ENDPOINT: baseUrl.optional(),
  SHUTDOWN_DELAY_MS: integer(0, 15_000).default(0),
  DATA_DIR: z.string().default('./data'),
  ERASURE_LOG: z.string().optional(),
  LOG_LEVEL: logSettings.default('info'),
  CORS_ORIGINS: origins.optional(),
  DATABASE_URL: url(['postgres:', 'postgresql:']).optional(),
  DATABASE_CA_FILE: z.string().optional(),
  VECTOR_STORE: z.enum(['auto', 'local', 'qdrant'], 'must be auto, local or qdrant').default('auto'),
  QDRANT_URL: url(['http:', 'https:']).optional(),
  QDRANT_HOST: z.string().optional(),
  QDRANT_PORT: integer(1, 65535).default(6333),
  QDRANT_API_KEY: z.string().optional(),
  QDRANT_ALLOW_PLAINTEXT: flag.default(false),
  QDRANT_COLLECTION_PREFIX: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be 1 to 64 letters, digits, _ or -')
    .default('kindred'),
  QDRANT_TIMEOUT_MS: integer(50, 60_000).default(2000),
  VECTOR_FALLBACK: z.enum(['local', 'none'], 'must be local or none').default('local'),
  VECTOR_FALLBACK_MAX_POINTS: integer(1, 100_000_000).default(200_000),
  EMBEDDING_PROVIDER: z.enum(['local', 'openai'], 'must be local or openai').default('local'),
  EMBEDDING_MODEL: z.string().default('all-MiniLM-L6-v2'),
  EMBEDDING_MODEL_DIR: z.string().optional(),
  EMBEDDING_DTYPE: z.enum(['q8', 'fp32', 'fp16'], 'must be q8, fp32 or fp16').default('q8'),
  EMBEDDING_HUB_URL: baseUrl.default('https://huggingface.co'),
  EMBEDDING_WORKERS: integer(1, 64).optional(),
  EMBEDDING_MAX_TOKENS: integer(8, 8192).default(256),
  EMBEDDING_QUERY_PREFIX: z.string().default(''),
  EMBEDDING_DOCUMENT_PREFIX: z.string().default(''),
  OPENAI_API_KEY: z.string().optional(),
  OPENAI_BASE_URL: baseUrl.default(OPENAI_URL),
  OPENAI_EMBEDDING_MODEL: z.string().default('text-embedding-3-small'),
  OPENAI_EMBEDDING_DIMENSIONS: integer(1, 16_384).optional(),
  OPENAI_EMBEDDING_REVISION: z
    .string()
    .regex(/^[A-Za-z0-9._:-]{1,64}$/, 'must be 1 to 64 letters, digits, ., _, : or -')
    .optional(),
  OPENAI_EMBEDDING_MAX_TOKENS: integer(8, 100_000).default(8191),
  OPENAI_EMBEDDING_BATCH_SIZE: integer(1, 2048).default(64),
  OPENAI_EMBEDDING_TIMEOUT_MS: integer(100, 600_000).default(30_000),
  OPENAI_EMBEDDING_QUERY_TIMEOUT_MS: integer(100, 60_000).default(5_000),
  OPENAI_GENERATION_MODEL: z.string().optional(),
  OPENAI_MAX_TOKENS: integer(16, 32_768).default(800),
  OPENAI_GENERATION_TIMEOUT_MS: integer(100, 600_000).default(30_000),
  CHAT_HISTORY_DAYS: integer(1, 3650).default(30),
  SYNC_INLINE: flag.default(true),
  SYNC_LEASE_MS: integer(1000, 600_000).optional(),
  SYNC_WRITE_TIMEOUT_MS: integer(100, 300_000).optional(),
  SYNC_GRACE_MS: integer(1000, 3_600_000).optional(),
  SYNC_BATCH_SIZE: integer(1, 256).default(64),
  SYNC_MAX_ATTEMPTS: integer(1, 1000).default(10),
  SCHEDULE_QUICK_CHECK: schedule.default('*/5 * * * *'),
  SCHEDULE_RECONCILE: schedule.default('17 3 * * *'),
  SCHEDULE_TOMBSTONE_PURGE: schedule.default('*/15 * * * *'),
  SCHEDULE_CACHE_PURGE: schedule.default('47 4 * * *'),
  SCHEDULE_STATISTICS: schedule.default('* * * * *'),
  IMPORT_MAX_BYTES: integer(1_024, 1_099_511_627_776).default(1_073_741_824),
  IMPORT_MAX_ROWS: integer(1, 100_000_000).default(5_000_000),
  IMPORT_MAX_LINE_BYTES: integer(1_024, 67_108_864).default(1_048_576),
  SIMILARITY_THRESHOLD: decimal(-1, 1).default(0.3),
  REQUIRE_IF_MATCH: flag.default(false),
  KINDRED_API_KEY: z
    .string()
    .regex(/^[\x21-\x7e]{1,512}$/, 'must be 1 to 512 printable characters without spaces')
    .optional(),
  KINDRED_ALLOW_PLAINTEXT: flag.default(false),
  AUTH: z.enum(['auto', 'required', 'off'], 'must be auto, required or off').default('auto'),
  KINDRED_BOOTSTRAP_KEY: z.string().regex(SECRET_PATTERN, SECRET_RULE).optional(),
  API_KEY_PEPPER: z.string().regex(SECRET_PATTERN, SECRET_RULE).optional(),
  TRUSTED_PROXIES: addressRanges.optional(),
  RATE_LIMIT_PER_MINUTE: integer(0, 100_000_000).default(6_000),
  RATE_LIMIT_ADDRESS_PER_MINUTE: integer(0, 100_000_000).default(12_000),
  OVERLOAD_WAIT_MS: integer(0, 60_000).default(500),
});

export type ParsedEnvironment = z.output<typeof environmentSchema>;

/** Thrown at boot; its message names every variable that is wrong and the rule it breaks, never a value. */
export class InvalidEnvironmentError extends FatalStartupError {
  constructor(readonly problems: readonly EnvironmentProblem[]) {
    super(`The configuration is not valid:\n${problems.map(({ variable, rule }) => `  ${variable} ${rule}`).join('\n')}`);
    this.name = 'InvalidEnvironmentError';
  }
}

export interface EnvironmentProblem {
  readonly variable: string;
  /** Reads as a sentence behind the variable's name; never holds a value. */
  readonly rule: string;
}

/**
 * Parses the environment, or says everything that is wrong with it at once.
 *
 * @throws InvalidEnvironmentError
 */
export function parseEnvironment(environment: Environment): ParsedEnvironment {
  const { sound, problems } = inspectEnvironment(environment);
  if (problems.length > 0) throw new InvalidEnvironmentError(problems);
  return sound;
}

/**
 * Parses what can be parsed: `sound` has the default in place of every variable that is named in `problems`.
 *
 * So rules over several variables can be checked as well when one of the others is wrong, and a person corrects everything in one go.
 */
export function inspectEnvironment(environment: Environment): {
  readonly sound: ParsedEnvironment;
  readonly problems: EnvironmentProblem[];
} {
  const { values, problems } = readSecretFiles(environment);
  const parsed = environmentSchema.safeParse(values);
  if (parsed.success) return { sound: parsed.data, problems: [...problems, ...findContradictions(parsed.data)] };
  for (const issue of parsed.error.issues) {
    problems.push({ variable: issue.path.join('.'), rule: issue.message });
  }
  const named = new Set(problems.map(({ variable }) => variable));
  const sound = environmentSchema.parse(Object.fromEntries(Object.entries(values).filter(([name]) => !named.has(name))));
  // A variable that is wrong already must not be called missing as well.
  problems.push(...findContradictions(sound).filter(({ variable }) => !named.has(variable)));
  return { sound, problems };
}

function readSecretFiles(environment: Environment) {
  const values: Record<string, string> = {};
  const problems: EnvironmentProblem[] = [];
  for (const [name, value] of Object.entries(environment)) {
    if (value !== undefined && value !== '') values[name] = value;
  }
  for (const name of SECRET_VARIABLES) {
    const path = values[`${name}_FILE`];
    if (path === undefined) continue;
    if (values[name] !== undefined) {
      problems.push({ variable: name, rule: `is set together with ${name}_FILE; set one of them` });
      continue;
    }
    const secret = readSecret(path);
    if (secret === null) problems.push({ variable: `${name}_FILE`, rule: 'names a file that cannot be read' });
    else if (secret === '') problems.push({ variable: `${name}_FILE`, rule: 'names an empty file' });
    else values[name] = secret;
  }
  return { values, problems };
}

function readSecret(path: string): string | null {
  try {
    // Editors and `echo` end a file with a line break that is no part of the secret.
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}

function findContradictions(env: ParsedEnvironment): EnvironmentProblem[] {
  const problems: EnvironmentProblem[] = [];
  if (env.METRICS_PORT === env.PORT && env.PORT !== 0) {
    problems.push({ variable: 'METRICS_PORT', rule: 'must be another port than PORT' });
  }
  if (env.QDRANT_URL !== undefined && env.QDRANT_HOST !== undefined) {
    problems.push({ variable: 'QDRANT_HOST', rule: 'is set together with QDRANT_URL; set one of them' });
  }
  if (env.VECTOR_STORE === 'qdrant' && env.QDRANT_URL === undefined && env.QDRANT_HOST === undefined) {
    problems.push({ variable: 'QDRANT_URL', rule: 'is missing although VECTOR_STORE is qdrant (or set QDRANT_HOST and QDRANT_PORT)' });
  }
  problems.push(...findPlaintext(env), ...findBadCertificates(env));
  if (env.EMBEDDING_PROVIDER === 'openai' && env.OPENAI_BASE_URL === OPENAI_URL && env.OPENAI_API_KEY === undefined) {
    problems.push({ variable: 'OPENAI_API_KEY', rule: 'is missing although EMBEDDING_PROVIDER is openai (or set OPENAI_BASE_URL)' });
  } else if (env.OPENAI_GENERATION_MODEL !== undefined && env.OPENAI_BASE_URL === OPENAI_URL && env.OPENAI_API_KEY === undefined) {
    problems.push({ variable: 'OPENAI_API_KEY', rule: 'is missing although OPENAI_GENERATION_MODEL is set (or set OPENAI_BASE_URL)' });
  }
  if (env.NODE_ENV === 'production' && env.AUTH === 'off') {
    problems.push({ variable: 'AUTH', rule: 'must not be off while NODE_ENV is production' });
  }
  return problems;
}

/** Whoever listens on the way to the index would have its key. */
function findPlaintext(env: ParsedEnvironment): EnvironmentProblem[] {
  if (env.VECTOR_STORE === 'local' || env.QDRANT_API_KEY === undefined || env.QDRANT_ALLOW_PLAINTEXT) return [];
  const variable = env.QDRANT_URL === undefined ? 'QDRANT_HOST' : 'QDRANT_URL';
  const address = env.QDRANT_URL ?? (env.QDRANT_HOST === undefined ? null : `http://${env.QDRANT_HOST}`);
  if (address === null || !URL.canParse(address)) return [];
  const { protocol, hostname } = new URL(address);
  if (protocol === 'https:' || isLoopbackHost(hostname)) return [];
  const rule = 'would send QDRANT_API_KEY unencrypted over the network: give an https: URL, or set QDRANT_ALLOW_PLAINTEXT=true';
  return [{ variable, rule }];
}

function findBadCertificates({ DATABASE_CA_FILE: file, DATABASE_URL: database }: ParsedEnvironment): EnvironmentProblem[] {
  const parameters = database === undefined ? null : new URL(database).searchParams;
  const mode = parameters?.get('sslmode') ?? null;
  if (file === undefined) {
    if (mode !== 'verify-ca' || parameters?.has('sslrootcert')) return [];
    return [{ variable: 'DATABASE_URL', rule: 'has sslmode=verify-ca, which needs DATABASE_CA_FILE; or use verify-full' }];
  }
  const variable = 'DATABASE_CA_FILE';
  if (parameters === null) return [{ variable, rule: 'is set without DATABASE_URL; the embedded database needs no certificate' }];
  if (mode !== null && !VERIFYING_MODES.has(mode))
    return [{ variable, rule: 'is set although sslmode in DATABASE_URL verifies no certificate; use verify-full' }];
  const text = readSecret(file);
  if (text === null) return [{ variable, rule: 'names a file that cannot be read' }];
  return text.includes('-----BEGIN CERTIFICATE-----') ? [] : [{ variable, rule: 'names a file that holds no PEM certificate' }];
}

/** `require` verifies the issuer as soon as a CA is given, as for psql. */
const VERIFYING_MODES: ReadonlySet<string> = new Set(['require', 'verify-ca', 'verify-full']);

/** The environment for a child process: that of this one, plus `defaults` for what it leaves unset. */
export function inheritedEnvironment(defaults: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...defaults, ...Object.fromEntries(Object.entries(process.env).filter(([, value]) => value !== '')) };
}

/** The environment of this process with other values for some variables: for a process that must not find what this one uses. */
export function replacedEnvironment(replaced: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  return { ...process.env, ...replaced };
}
