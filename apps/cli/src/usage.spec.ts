import { CommandFactory } from 'nest-commander';
import { CliModule } from './cli.module.js';
import { FailureOutput } from './program/failure-output.js';

/** Where nothing listens: a command that asked there would end with 3. */
const NOWHERE = ['--url', 'http://127.0.0.1:9'];
const KEYS_CREATE = ['keys', 'create', '--name', 'x', '--scope'];
const PGVECTOR = ['import', 'pgvector', '--table', 't', '--collection', 'c', '--from'];
const CANARY = 'canary-7f3a';

/** As main.ts does, but the process goes on. */
async function kindred(words: readonly string[]): Promise<{ code: number | null; error: string }> {
  let code: number | null = null;
  let error = '';
  const output = new FailureOutput(false, (text) => (error += text));
  const rethrow = (failure: Error): never => {
    throw failure;
  };
  const print = (failure: Error): void => void (code = output.print(failure));
  const app = await CommandFactory.createWithoutRunning(CliModule, { logger: false, errorHandler: rethrow, serviceErrorHandler: print });
  app.get(CliModule).prepareCommander(rethrow, output);
  const argv = jest.replaceProperty(process, 'argv', ['node', 'kindred', ...words]);
  try {
    await CommandFactory.runApplication(app);
  } finally {
    argv.restore();
    await app.close();
  }
  return { code, error };
}

describe('a wrong command line', () => {
  it.each([
    [['nonsense'], 'unknown command'],
    [['schedules'], 'Usage: kindred schedules'],
    [['schedules', 'lst'], "unknown command 'lst'\n(Did you mean list?)"],
    [['doctor', 'nonsense'], "unknown command 'nonsense'"],
    [['search', 'oak', 'stair', ...NOWHERE], 'too many arguments'],
    [['import', 'projects', 'a.csv', ...NOWHERE], 'too many arguments'],
    [['status', 'nonsense', ...NOWHERE], 'too many arguments'],
    [['status', '--nonsense'], 'unknown option'],
    [['status', '--url', 'ftp://x'], '--url must be like'],
    [['status', '--key', `${CANARY} ${CANARY}`], '--key must be'],
    [['status', '--url', 'http://192.0.2.1', '--key', CANARY], 'The key would go to http://192.0.2.1 unencrypted'],
    [['generations', 'show', 'one', ...NOWHERE], 'whole number'],
    [['dead-letters', 'requeue', '--all', '--code', 'x'], 'one of them'],
    [['caches', 'clear', 'rows', ...NOWHERE], 'there are query-vectors,'],
    [['log-levels', 'set', 'engine', 'debug', ...NOWHERE], 'there are all,'],
    [['log-levels', 'set', 'sync', 'loud', ...NOWHERE], 'there are silent,'],
    [['search', 'x', '--collection', 'faq', ...NOWHERE], '--documents'],
    [['sync', '--batch-size', '5001', ...NOWHERE], '5000'],
    [['keys', 'create', '--scope', 'read'], '--name'],
    [['keys', 'create', '--name', 'x'], '--scope'],
    [[...KEYS_CREATE, 'root'], '--scope'],
    [[...KEYS_CREATE, 'read', '--expires', 'soon'], '--expires'],
    [[...KEYS_CREATE, 'read', '--direct', '--from', 'home'], '--from'],
    [[...KEYS_CREATE, 'read', '--direct', '--collection', 'faq'], '--direct'],
    [['import'], 'which file'],
    [['import', 'a.csv', '--resume', 'x'], 'not both'],
    [['import', 'nothing.csv', ...NOWHERE], 'no such file'],
    [['import', 'a.xlsx', ...NOWHERE], '--format'],
    [['import', '-', '--format', 'xml'], '--format'],
    [['import', '-', '--format', 'csv', '--kind', 'x'], 'projects or documents'],
    [['export', 'x'], 'projects or documents'],
    [['export', 'projects', '--collection', 'faq', ...NOWHERE], 'for documents'],
    // The options belong to the subcommand, though the command before it has some of the same name.
    [['import', 'pgvector', '--dry-run', '--resume', '--collection', 'faq'], '--from'],
    [[...PGVECTOR, `http://u:${CANARY}@x`, '--map', 'm'], '--from must be like postgres://'],
    [[...PGVECTOR, 'postgres://x', '--map', 'm', '--model', 'm'], 'are given together'],
  ])('%j ends with 2 and says what is wrong', async (words, text) => {
    const { code, error } = await kindred(words);
    expect([code, error]).toEqual([2, expect.stringContaining(text)]);
    expect(error).not.toMatch(new RegExp(`${CANARY}| {4}at `));
  });
});
