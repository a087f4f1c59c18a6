import { spawn } from 'node:child_process';
import { join } from 'node:path';

const CLI = join(process.cwd(), 'dist', 'apps', 'cli', 'src', 'main.js');
/** Loading is most of what a command does, and compiling a fifth of that. */
const COMPILED = join(process.cwd(), 'node_modules', '.cache', 'kindred-command-line');

/** What came out of one call of the command line. */
export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly error: string;
}

/** Runs the built command line as a process of its own, with these variables and none that change what it does. */
export function runKindred(words: readonly string[], variables: Readonly<Record<string, string>>, input = ''): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [CLI, ...words], { env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: COMPILED, ...variables } });
    const texts = { out: '', error: '' };
    child.stdout.on('data', (text) => (texts.out += String(text)));
    child.stderr.on('data', (text) => (texts.error += String(text)));
    child.stdin.on('error', () => undefined).end(input);
    child.on('close', (code) => resolve({ code: code ?? -1, ...texts }));
  });
}
