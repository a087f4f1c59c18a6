import {
  environmentSchema,
  inspectEnvironment,
  SECRET_VARIABLES,
  type Environment,
  type EnvironmentProblem,
  type ParsedEnvironment,
} from './environment.js';
import { DataConfig, EmbeddingConfig, SyncConfig, VectorStoreConfig } from './slices.js';

/** One variable as it takes effect. */
export interface ConfigEntry {
  readonly variable: string;
  /** `null` = none; of a secret, a mask. */
  readonly value: string | number | boolean | null;
  readonly origin: 'default' | 'environment' | 'file';
}

const MASK = '********';
const SECRETS: ReadonlySet<string> = new Set(SECRET_VARIABLES);
/** A variable that is called so is masked, whether or not somebody has listed it. */
const SECRET_NAME = /(KEY|SECRET|PEPPER|PASSWORD|TOKEN|HEADERS)$/;

/** What stands in place of a default that depends on something else. */
const EFFECTIVE: Readonly<Record<string, (env: ParsedEnvironment) => string | number | null>> = {
  DATA_DIR: (env) => new DataConfig(env).dataDir,
  VECTOR_STORE: (env) => new VectorStoreConfig(env).kind,
  VECTOR_FALLBACK: (env) => new VectorStoreConfig(env).fallback,
  EMBEDDING_WORKERS: (env) => new EmbeddingConfig(env).workers,
  SYNC_LEASE_MS: (env) => syncOf(env).leaseMs,
  SYNC_WRITE_TIMEOUT_MS: (env) => syncOf(env).writeTimeoutMs,
  SYNC_GRACE_MS: (env) => syncOf(env).graceMs,
};

/**
 * Says what every variable amounts to and where it comes from, in the order of the schema. No secret is in it: neither of the variables that are secrets, nor
 * user, password, query and fragment of an address.
 *
 * @param environment default: the environment of the process
 * @returns also what is wrong; a variable that is wrong has its default
 */
export function describeConfig(environment: Environment = process.env): {
  readonly entries: readonly ConfigEntry[];
  readonly problems: readonly EnvironmentProblem[];
} {
  const { sound, problems } = inspectEnvironment(environment);
  const isGiven = (name: string): boolean => environment[name] !== undefined && environment[name] !== '';
  const wrong = new Set(problems.map(({ variable }) => variable));
  const entries = Object.keys(environmentSchema.shape).map((variable): ConfigEntry => {
    const parsed = EFFECTIVE[variable]?.(sound) ?? (sound as Readonly<Record<string, unknown>>)[variable];
    const fromFile = SECRETS.has(variable) && isGiven(`${variable}_FILE`) && !wrong.has(`${variable}_FILE`);
    const origin = wrong.has(variable) ? 'default' : isGiven(variable) ? 'environment' : fromFile ? 'file' : 'default';
    return { variable, value: shown(variable, parsed), origin };
  });
  return { entries, problems };
}

function shown(variable: string, value: unknown): ConfigEntry['value'] {
  if (value === undefined || value === null) return null;
  if (typeof value === 'string' && URL.canParse(value) && value.includes('://')) return plainAddress(value, variable);
  if (SECRETS.has(variable) || SECRET_NAME.test(variable)) return MASK;
  return typeof value === 'number' || typeof value === 'boolean' || typeof value === 'string' ? value : JSON.stringify(value);
}

/** The part of an address that is none of a secret's business. */
function plainAddress(text: string, variable: string): string {
  if (variable !== 'DATABASE_URL' && (SECRETS.has(variable) || SECRET_NAME.test(variable))) return MASK;
  const { protocol, username, password, host, pathname, search, hash } = new URL(text);
  const user = username === '' && password === '' ? '' : `${MASK}@`;
  const path = pathname === '/' && !text.endsWith('/') ? '' : pathname;
  return `${protocol}//${user}${host}${path}${search === '' ? '' : `?${MASK}`}${hash === '' ? '' : `#${MASK}`}`;
}

function syncOf(env: ParsedEnvironment): SyncConfig {
  return new SyncConfig(env, new VectorStoreConfig(env).kind);
}
