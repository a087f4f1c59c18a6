import { RUNTIME_OPTIONS } from '#config';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** More requests than these wait on the side of the client, and are not measured as waiting here. */
const MAX_SOCKETS = 512;
/** Below the time after which the service closes an idle connection, so that none is used in that moment. */
const IDLE_SOCKET_MS = 30_000;
const POLL_MS = 50;
const API_MAIN = fileURLToPath(new URL('../apps/api/src/main.js', import.meta.url));

interface LedgerReply {
  readonly generations: readonly { readonly source: string; readonly state: string; readonly entries: { readonly pending: number } }[];
}

/** An answer, and how long it took from the first byte sent. */
export interface Exchange {
  readonly status: number;
  readonly durationMs: number;
  readonly text: string;
}

/** The service as users run it, in a process of its own with an empty data directory that is removed afterwards. */
export class ServiceUnderTest {
  private readonly agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS, timeout: IDLE_SOCKET_MS });

  private constructor(
    private readonly child: ChildProcess,
    private readonly dataDir: string,
    private readonly url: URL,
    readonly databaseUrl: string,
  ) {}

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
    return new ServiceUnderTest(child, dataDir, new URL(url), database_url);
  }

  /** One call over a kept connection; rejects on any status but 2xx. */
  call<Reply>(method: string, path: string, body?: unknown): Promise<Reply> {
    return this.send(method, path, body === undefined ? undefined : Buffer.from(JSON.stringify(body)), 'application/json');
  }

  /** One call whatever its answer; rejects when there is none. */
  exchange(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Exchange> {
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const type = payload === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(payload.length) };
    return new Promise((resolve, reject) => {
      const startedMs = performance.now();
      const target = { agent: this.agent, host: this.url.hostname, port: this.url.port, method, path, headers: { ...headers, ...type } };
      const outgoing = request(target, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: incoming.statusCode ?? 0, durationMs: performance.now() - startedMs, text });
        });
        incoming.on('error', reject);
      });
      outgoing.on('error', reject);
      outgoing.end(payload);
    });
  }

  /** Sends a file; rejects on any status but 2xx. */
  upload<Reply>(path: string, file: Buffer, contentType: string): Promise<Reply> {
    return this.send('POST', path, file, contentType);
  }

  private send<Reply>(method: string, path: string, payload: Buffer | undefined, contentType: string): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const headers = payload === undefined ? {} : { 'content-type': contentType, 'content-length': payload.length };
      const outgoing = request({ agent: this.agent, host: this.url.hostname, port: this.url.port, method, path, headers }, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          if (incoming.statusCode === undefined || incoming.statusCode >= 300)
            reject(new Error(`${method} ${path} answered ${incoming.statusCode}: ${text}`));
          else resolve((text === '' ? null : JSON.parse(text)) as Reply);
        });
        incoming.on('error', reject);
      });
      outgoing.on('error', reject);
      outgoing.end(payload);
    });
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
    this.agent.destroy();
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
