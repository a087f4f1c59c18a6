import { RUNTIME_OPTIONS } from '#config';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Pool, type Dispatcher } from 'undici';

const POLL_MS = 50;
const API_MAIN = fileURLToPath(new URL('../apps/api/src/main.js', import.meta.url));

interface LedgerReply {
  readonly generations: readonly { readonly source: string; readonly state: string; readonly entries: { readonly pending: number } }[];
}

/** An answer, and how long it took, the opening of a connection included. */
export interface Exchange {
  readonly status: number;
  readonly durationMs: number;
  readonly text: string;
}

/** The service as users run it, in a process of its own with an empty data directory that is removed afterwards. */
export class ServiceUnderTest {
  private readonly connections: Pool;

  private constructor(
    private readonly child: ChildProcess,
    private readonly dataDir: string,
    url: string,
    readonly databaseUrl: string,
  ) {
    this.connections = new Pool(url);
  }

  /** Starts it and waits until it is ready. @param settings - environment variables beyond those that an empty start needs */
  static async start(settings: Readonly<Record<string, string>> = {}): Promise<ServiceUnderTest> {
    const dataDir = mkdtempSync(join(tmpdir(), 'kindred-bench-'));
    const child = spawn(process.execPath, [...RUNTIME_OPTIONS, API_MAIN], {
      env: { PATH: '/usr/local/bin:/usr/bin:/bin:/usr/sbin', DATA_DIR: dataDir, PORT: '0', LOG_LEVEL: 'info', ...settings },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise<void>((resolve, reject) => {
      child.once('exit', (code) => reject(new Error(`The service ended with ${code} before it was ready`)));
      createInterface({ input: child.stdout }).on('line', (line) => {
        if (line.includes('"msg":"ready"')) resolve();
      });
    });
    const { url, database_url } = JSON.parse(readFileSync(join(dataDir, 'run.json'), 'utf8')) as { url: string; database_url: string };
    return new ServiceUnderTest(child, dataDir, url, database_url);
  }

  /** One call over a kept connection; rejects on any status but 2xx. */
  call<Reply>(method: Dispatcher.HttpMethod, path: string, body?: unknown): Promise<Reply> {
    const content = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
    return this.send({ method, path, ...content });
  }

  /** One call whatever its answer; rejects when there is none. A connection that is free is used, else a new one is opened. */
  exchange(method: Dispatcher.HttpMethod, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Exchange> {
    if (body === undefined) return this.request({ method, path, headers });
    return this.request({ method, path, headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) });
  }

  /** Sends a file; rejects on any status but 2xx. */
  upload<Reply>(path: string, file: Buffer, contentType: string): Promise<Reply> {
    return this.send({ method: 'POST', path, headers: { 'content-type': contentType }, body: file });
  }

  private async send<Reply>(options: Dispatcher.RequestOptions): Promise<Reply> {
    const { status, text } = await this.request(options);
    if (status >= 300) throw new Error(`${options.method} ${options.path} answered ${status}: ${text}`);
    return (text === '' ? null : JSON.parse(text)) as Reply;
  }

  private async request(options: Dispatcher.RequestOptions): Promise<Exchange> {
    const startedMs = performance.now();
    const { statusCode, body } = await this.connections.request(options);
    const text = await body.text();
    return { status: statusCode, durationMs: performance.now() - startedMs, text };
  }

  /** Waits until no change of a project waits for the index. Asks the ledger itself: what a search says of that may be a second old. */
  async untilIndexed(headers: Readonly<Record<string, string>> = {}): Promise<void> {
    for (;;) {
      const { text } = await this.exchange('GET', '/api/v1/admin/sync/status', undefined, headers);
      const { generations } = JSON.parse(text) as LedgerReply;
      if (generations.some(({ source, state, entries }) => source === 'projects' && state === 'serving' && entries.pending === 0)) return;
      await delay(POLL_MS);
    }
  }

  /** Resident memory of the service and of its database, MiB; shared pages of the database count once per process. */
  memoryMiB(): { service: number; database: number } {
    const postmaster = Number(readFileSync(join(this.dataDir, 'postgres', 'postmaster.pid'), 'utf8').split('\n')[0]);
    const backends = readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => Number(pid) === postmaster || parentOf(pid) === postmaster);
    return { service: residentMiB(String(this.child.pid)), database: backends.map(residentMiB).reduce((sum, value) => sum + value, 0) };
  }

  /** Ends it in an orderly way. @returns its exit code, and how long it took */
  async stop(): Promise<{ readonly exitCode: number | null; readonly durationMs: number }> {
    const startedMs = performance.now();
    const ended = new Promise<number | null>((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGTERM');
    const exitCode = await ended;
    const durationMs = performance.now() - startedMs;
    await this.connections.destroy();
    rmSync(this.dataDir, { recursive: true, force: true });
    return { exitCode, durationMs };
  }
}

function parentOf(pid: string): number | null {
  return Number(statusField(pid, 'PPid'));
}

function residentMiB(pid: string): number {
  return Number(statusField(pid, 'VmRSS').replace(' kB', '')) / 1024;
}

/** A line of /proc/<pid>/status; `0` when the process is gone. */
function statusField(pid: string, name: string): string {
  try {
    return new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0';
  } catch {
    return '0';
  }
}
