import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import { describeConfig } from './describe-config.js';
import { environmentSchema, SECRET_VARIABLES } from './environment.js';

const CANARY = 'canary-7f3a9c1e5b2d4f6a8c0e1b3d5f7a9c2e';
const of = (environment: Record<string, string>, variable: string) =>
  describeConfig(environment).entries.find((entry) => entry.variable === variable);

describe('describeConfig', () => {
  it('names every variable, once', () => {
    expect(describeConfig({}).entries.map(({ variable }) => variable)).toEqual(Object.keys(environmentSchema.shape));
  });

  it('says what takes effect, and where it comes from', () => {
    expect(of({}, 'PORT')).toEqual({ variable: 'PORT', value: 3000, origin: 'default' });
    expect(of({ PORT: '80' }, 'PORT')).toEqual({ variable: 'PORT', value: 80, origin: 'environment' });
    expect(of({}, 'DATA_DIR')!.value).toBe(resolve('./data'));
    expect(of({}, 'EMBEDDING_WORKERS')!.value).toBe(availableParallelism());
    expect(of({}, 'VECTOR_STORE')!.value).toBe('local');
    expect(of({ QDRANT_URL: 'https://q:6333' }, 'VECTOR_STORE')!.value).toBe('qdrant');
    expect(of({ QDRANT_URL: 'https://q:6333' }, 'SYNC_LEASE_MS')!.value).toBe(30_000);
    expect(of({}, 'DATABASE_URL')).toEqual({ variable: 'DATABASE_URL', value: null, origin: 'default' });
  });

  it('shows no secret: neither of a variable that is one, nor in an address', () => {
    const secrets = Object.fromEntries(SECRET_VARIABLES.map((name) => [name, CANARY]));
    const environment = {
      ...secrets,
      DATABASE_URL: `postgres://${CANARY}:${CANARY}@db:5432/kindred?password=${CANARY}`,
      QDRANT_URL: `https://${CANARY}:${CANARY}@qdrant:6333/?api_key=${CANARY}#${CANARY}`,
    };
    const { entries, problems } = describeConfig(environment);
    expect(problems).toEqual([]);
    expect(JSON.stringify(entries)).not.toContain(CANARY);
    expect(entries.find(({ variable }) => variable === 'DATABASE_URL')!.value).toBe('postgres://********@db:5432/kindred?********');
    for (const variable of SECRET_VARIABLES) expect(of(environment, variable)).toMatchObject({ origin: 'environment' });
  });

  it('knows every variable that is called like a secret', () => {
    const named = Object.keys(environmentSchema.shape).filter((name) => /(KEY|SECRET|PEPPER|PASSWORD|TOKEN)$/.test(name));
    expect(named.filter((name) => !(SECRET_VARIABLES as readonly string[]).includes(name))).toEqual([]);
  });

  it('says what is wrong without the value', () => {
    const description = describeConfig({ PORT: CANARY, API_KEY_PEPPER: 'short' });
    expect(description.problems.map(({ variable }) => variable).sort()).toEqual(['API_KEY_PEPPER', 'PORT']);
    expect(description.entries.find(({ variable }) => variable === 'PORT')).toMatchObject({ value: 3000, origin: 'default' });
    expect(JSON.stringify(description)).not.toContain(CANARY);
  });
});
