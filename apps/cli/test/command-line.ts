import { spawn } from 'node:child_process';
import { join } from 'node:path';

const CLI = join(process.cwd(), 'dist', 'apps', 'cli', 'src', 'main.js');
/** Loading is most of what a command does, and compiling a fifth of that. */
const COMPILED = join(process.cwd(), 'node_modules', '.cache', 'kindred-command-line');

/** What came out of one call of the command line. */
export interface Outcome {
  /** Or the signal that ended it. */
  readonly code: number | NodeJS.Signals;
  readonly out: string;
  readonly error: string;
}

/**
 * Runs the built command line as a process of its own, with these variables and none else that change what it does.
 *
 * @param input of its standard input
 * @param nodeArguments what Node.js is told before the program
 */
export function runKindred(
  words: readonly string[],
  variables: Readonly<Record<string, string>>,
  { input = '', nodeArguments = [] }: { readonly input?: string; readonly nodeArguments?: readonly string[] } = {},
): Promise<Outcome> {
  return new Promise((resolve) => {
    const env = { PATH: process.env['PATH'], NODE_COMPILE_CACHE: COMPILED, ...variables };
    const child = spawn(process.execPath, [...nodeArguments, CLI, ...words], { env });
    const texts = { out: '', error: '' };
    child.stdout.on('data', (text) => (texts.out += String(text)));
    child.stderr.on('data', (text) => (texts.error += String(text)));
    child.stdin.on('error', () => undefined).end(input);
    child.on('close', (code, signal) => resolve({ code: code ?? signal!, ...texts }));
  });
}
