import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadClientConfig } from './client-config.js';
import { describeConfig } from './describe-config.js';
import { InvalidEnvironmentError, parseEnvironment, SECRET_VARIABLES } from './environment.js';

const CANARY = 'canary-7f3a';

describe('secrets from files', () => {
  let folder: string;
  beforeAll(() => (folder = mkdtempSync(join(tmpdir(), 'kindred-secrets-'))));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const file = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };
  const problemsOf = (environment: Record<string, string>) => {
    try {
      parseEnvironment(environment);
    } catch (error) {
      if (!(error instanceof InvalidEnvironmentError)) throw error;
      expect(error.message).not.toContain(CANARY);
      return error.problems.map(({ variable, rule }) => `${variable} ${rule}`);
    }
    return [];
  };

  it('reads the value and drops the line break that ends the file', () => {
    const parsed = parseEnvironment({
      QDRANT_API_KEY_FILE: file('key', `${CANARY}\n`),
      DATABASE_URL_FILE: file('url', `postgres://kindred:${CANARY}@host/db\r\n`),
    });
    expect(parsed.QDRANT_API_KEY).toBe(CANARY);
    expect(parsed.DATABASE_URL).toBe(`postgres://kindred:${CANARY}@host/db`);
  });

  it.each(SECRET_VARIABLES)('reads %s from a file', (name) => {
    const value = name === 'DATABASE_URL' ? `postgres://kindred:${CANARY}@host/db` : `${CANARY}-of-at-least-22-letters`;
    expect(parseEnvironment({ [`${name}_FILE`]: file(`each-${name}`, `${value}\n`) })[name]).toBe(value);
  });

  it('are masked where the configuration is shown', () => {
    const names = SECRET_VARIABLES.map(
      (name) => [name, name === 'DATABASE_URL' ? `postgres://u:${CANARY}@host/db` : CANARY.repeat(3)] as const,
    );
    const { entries, problems } = describeConfig(Object.fromEntries(names.map(([name, value]) => [`${name}_FILE`, file(name, value)])));
    expect(problems).toEqual([]);
    const shown = entries.filter(({ variable }) => names.some(([name]) => name === variable));
    expect(shown.map(({ origin }) => origin)).toEqual(names.map(() => 'file'));
    expect(JSON.stringify(entries)).not.toContain(CANARY);
  });

  it('gives the command line its key', () => {
    expect(loadClientConfig({ KINDRED_API_KEY_FILE: file('client-key', `${CANARY}\n`) }).apiKey).toBe(CANARY);
  });

  it('holds the value from a file against the same rule', () => {
    expect(problemsOf({ DATABASE_URL_FILE: file('bad', `mysql://${CANARY}@host/db`) })).toEqual([
      'DATABASE_URL must be a URL with postgres: or postgresql:',
    ]);
  });

  it('refuses both forms at once, because one of them would be ignored', () => {
    const both = { QDRANT_API_KEY: CANARY, QDRANT_API_KEY_FILE: file('key2', CANARY) };
    expect(problemsOf(both)).toEqual(['QDRANT_API_KEY is set together with QDRANT_API_KEY_FILE; set one of them']);
  });

  it('names the variable of a file that cannot be read, or is empty: a service must not start without its secret', () => {
    expect(problemsOf({ QDRANT_API_KEY_FILE: join(folder, CANARY) })).toEqual(['QDRANT_API_KEY_FILE names a file that cannot be read']);
    expect(problemsOf({ QDRANT_API_KEY_FILE: folder })).toEqual(['QDRANT_API_KEY_FILE names a file that cannot be read']);
    expect(problemsOf({ QDRANT_API_KEY_FILE: file('empty', '\n') })).toEqual(['QDRANT_API_KEY_FILE names an empty file']);
  });

  it('does not read files for variables that are no secrets', () => {
    expect(parseEnvironment({ PORT_FILE: file('port', '4000') }).PORT).toBe(3000);
  });
});
