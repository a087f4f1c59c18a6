import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const DIST = fileURLToPath(new URL('../../../dist/', import.meta.url));
const READY_TIMEOUT_MS = 60_000;

/** How a process ended: its exit code, or the signal that ended it. */
export type ProcessEnd = number | NodeJS.Signals;

/** What a process loads before its program: see the files in `preloads`. */
export type ProcessPreload = 'clock' | 'crash-point' | 'fake-embedder' | 'mutant';

export interface ServerProcessOptions {
  /** The program. Default `api`. */
  readonly program?: 'api' | 'worker';
  readonly preloads?: readonly ProcessPreload[];
  /** Default 60,000. */
  readonly readyTimeoutMs?: number;
}

/** A built program (the api, unless told otherwise) as a real process, to be stopped and killed. */
export class ServerProcess {
  /** Resolves with its address (`''` for a program that has none) when it says `ready`; rejects with its output when it ends before, or takes too long. */
  readonly ready: Promise<string>;
  readonly ended: Promise<ProcessEnd>;
  /** Everything the process wrote so far, stdout and stderr. */
  readonly output: string[] = [];
  private readonly child: ChildProcess;
  private address: string | null = null;

  private constructor(environment: Readonly<Record<string, string>>, options: ServerProcessOptions) {
    this.child = spawn(process.execPath, commandLine(options), {
      env: { PATH: process.env['PATH'], PORT: '0', ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.ended = new Promise<ProcessEnd>((resolve) => this.child.once('exit', (code, signal) => resolve(code ?? signal ?? 0)));
    this.ready = this.waitForReady(options.readyTimeoutMs ?? READY_TIMEOUT_MS);
    // Whoever awaits it hears of it; a process that is killed while it starts is no surprise to whoever does not.
    this.ready.catch(() => undefined);
  }

  /** Starts it on a free port and waits for its `ready` line; rejects with its output when it ends before. */
  static async start(environment: Readonly<Record<string, string>>, options: ServerProcessOptions = {}): Promise<ServerProcess> {
    const started = ServerProcess.launch(environment, options);
    await started.ready;
    return started;
  }

  /** Starts it, and returns at once. */
  static launch(environment: Readonly<Record<string, string>>, options: ServerProcessOptions = {}): ServerProcess {
    return new ServerProcess(environment, options);
  }

  get url(): string {
    if (this.address === null) throw new Error('The process is not ready');
    return this.address;
  }

  get pid(): number {
    return this.child.pid!;
  }

  /** How it ended, or `null` while it runs. */
  get outcome(): ProcessEnd | null {
    return this.child.exitCode ?? this.child.signalCode;
  }

  /** Sends the signal; the process may go on. */
  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Sends the signal and resolves when the process is gone. */
  async end(signal: NodeJS.Signals): Promise<ProcessEnd> {
    this.child.kill(signal);
    return this.ended;
  }

  async call<Reply = unknown>(method: string, path: string, body?: unknown): Promise<{ status: number; body: Reply; headers: Headers }> {
    const reply = await fetch(`${this.url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await reply.text();
    return { status: reply.status, body: (text === '' ? null : JSON.parse(text)) as Reply, headers: reply.headers };
  }

  private async waitForReady(timeoutMs: number): Promise<string> {
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<string>((resolve, reject) => {
        createInterface({ input: this.child.stderr! }).on('line', (line) => this.output.push(line));
        createInterface({ input: this.child.stdout! }).on('line', (line) => {
          this.output.push(line);
          if (!line.includes('"msg":"ready"')) return;
          this.address = (JSON.parse(line) as { url?: string }).url ?? '';
          resolve(this.address);
        });
        timer = setTimeout(() => reject(new Error(`not ready after ${timeoutMs} ms:\n${this.output.join('\n')}`)), timeoutMs);
        void this.ended.then((end) => reject(new Error(`ended with ${end} before it was ready:\n${this.output.join('\n')}`)));
      });
    } catch (error) {
      this.child.kill('SIGKILL');
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

function commandLine({ program = 'api', preloads = [] }: ServerProcessOptions): string[] {
  const imports = preloads.flatMap((name) => ['--import', join(DIST, 'libs', 'testing', 'src', 'preloads', `${name}-preload.js`)]);
  return [...imports, join(DIST, 'apps', program, 'src', 'main.js')];
}
