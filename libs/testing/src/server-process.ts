import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const API_MAIN = join(__dirname, '..', '..', '..', 'dist', 'apps', 'api', 'src', 'main.js');
const READY_TIMEOUT_MS = 60_000;

/** How a process ended: its exit code, or the signal that ended it. */
export type ProcessEnd = number | NodeJS.Signals;

/** The built api as a real process, to be killed. */
export class ServerProcess {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
    readonly ended: Promise<ProcessEnd>,
    /** Everything the process wrote so far, stdout and stderr. */
    readonly output: string[],
  ) {}

  /** Starts it on a free port and waits for its `ready` line; rejects with its output when it ends before. */
  static async start(environment: Readonly<Record<string, string>>): Promise<ServerProcess> {
    const child = spawn(process.execPath, [API_MAIN], {
      env: { PATH: process.env['PATH'], PORT: '0', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output: string[] = [];
    const ended = new Promise<ProcessEnd>((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal ?? 0)));
    let timer: NodeJS.Timeout | undefined;
    try {
      const url = await new Promise<string>((resolve, reject) => {
        createInterface({ input: child.stderr }).on('line', (line) => output.push(line));
        createInterface({ input: child.stdout }).on('line', (line) => {
          output.push(line);
          if (!line.includes('"msg":"ready"')) return;
          resolve((JSON.parse(line) as { url: string }).url);
        });
        timer = setTimeout(() => reject(new Error(`not ready after ${READY_TIMEOUT_MS} ms:\n${output.join('\n')}`)), READY_TIMEOUT_MS);
        void ended.then((end) => reject(new Error(`ended with ${end} before it was ready:\n${output.join('\n')}`)));
      });
      return new ServerProcess(child, url, ended, output);
    } catch (error) {
      child.kill('SIGKILL');
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** Sends the signal and resolves when the process is gone. */
  async end(signal: NodeJS.Signals): Promise<ProcessEnd> {
    this.child.kill(signal);
    return this.ended;
  }

  async call<Reply = unknown>(method: string, path: string, body?: unknown): Promise<{ status: number; body: Reply }> {
    const reply = await fetch(`${this.url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await reply.text();
    return { status: reply.status, body: (text === '' ? null : JSON.parse(text)) as Reply };
  }
}
