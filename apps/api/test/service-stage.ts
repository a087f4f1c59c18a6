import { createTestDatabase, NO_SCHEDULES, ServerProcess, type TestDatabase, waitFor } from '#testing';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Certificate {
  readonly decision: string;
  readonly rows: number;
  readonly points: number;
  readonly reasons: readonly string[];
}

/** The api as people start it: the real model, the local index; on a database of its own, without schedules. */
export class ServiceStage {
  private constructor(
    readonly database: TestDatabase,
    readonly server: ServerProcess,
    private readonly dataDir: string,
  ) {}

  static async set(): Promise<ServiceStage> {
    const database = await createTestDatabase();
    const dataDir = mkdtempSync(join(tmpdir(), 'kindred-service-'));
    const server = await ServerProcess.start({
      DATABASE_URL: database.url,
      DATA_DIR: dataDir,
      ...NO_SCHEDULES,
    });
    return new ServiceStage(database, server, dataDir);
  }

  async pending(): Promise<number> {
    const { rows } = await this.database.query<{ count: number }>(
      `SELECT count(*)::integer AS count FROM index_ledger l JOIN index_generations g ON g.id = l.generation_id
       WHERE g.state <> 'retired' AND l.state = 'pending'`,
    );
    return rows[0]!.count;
  }

  /** Waits until nothing is pending; returns the milliseconds that it took. */
  async untilDrained(timeoutMs: number): Promise<number> {
    const startedMs = performance.now();
    await waitFor(async () => (await this.pending()) === 0, { what: 'nothing is pending', timeoutMs, intervalMs: 20 });
    return performance.now() - startedMs;
  }

  /** Reads rows and index side by side, and changes nothing. */
  async certify(generation?: number): Promise<Certificate> {
    const begun = await this.server.call<{ id: string }>('POST', '/api/v1/admin/reconcile', {
      dry_run: true,
      ...(generation === undefined ? {} : { generation }),
    });
    if (begun.status !== 202) throw new Error(`reconcile answered ${begun.status}: ${JSON.stringify(begun.body)}`);
    return waitFor(
      async () => {
        const { body } = await this.server.call<Certificate>('GET', `/api/v1/admin/certificates/${begun.body.id}`);
        return body.decision === 'running' ? null : body;
      },
      { what: 'the certificate is written', timeoutMs: 120_000, intervalMs: 50 },
    );
  }

  async strike(): Promise<void> {
    await this.server.end('SIGTERM');
    await this.database.close();
    rmSync(this.dataDir, { recursive: true, force: true });
  }
}

/** Calls `work` at a constant rate, whatever the calls before take, until the signal aborts; resolves when all calls have ended. */
export async function atRate(perSecond: number, signal: AbortSignal, work: (n: number) => Promise<void>): Promise<void> {
  const calls: Promise<void>[] = [];
  await new Promise<void>((resolve) => {
    let n = 0;
    const timer = setInterval(() => calls.push(work(n++)), 1_000 / perSecond);
    signal.addEventListener('abort', () => {
      clearInterval(timer);
      resolve();
    });
  });
  await Promise.all(calls);
}

/** Creates projects at a constant rate for so long; resolves with the milliseconds of each write. Every one must be taken. */
export async function timeWrites(
  server: ServerProcess,
  { perSecond, durationMs, onCreated }: { perSecond: number; durationMs: number; onCreated?: (id: string) => void },
): Promise<number[]> {
  const tookMs: number[] = [];
  await atRate(perSecond, AbortSignal.timeout(durationMs), async (n) => {
    const startedMs = performance.now();
    const { status, body } = await server.call<{ id: string }>('POST', '/api/v1/projects', {
      name: 'Gate',
      description: `Garden gate number ${n}`,
    });
    tookMs.push(performance.now() - startedMs);
    expect(status).toBe(201);
    onCreated?.(body.id);
  });
  return tookMs;
}

/** The value below which the share `p` of the values lies. */
export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(p * sorted.length) - 1))]!;
}

export const rounded = (value: number): number => Math.round(value * 100) / 100;
