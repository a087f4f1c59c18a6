import type { KindredConfig } from '#config';
import { DatabaseLifecycle, RelayUnitOfWork } from '#database';
import { GenerationCatalog, Reconciler, SyncReadiness } from '#sync';
import type { LoggerService } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { setTimeout as delay } from 'node:timers/promises';
import type { CertificateReply } from '../commands/certificate-text.js';
import { RestoredIndexModule } from './restored-index.module.js';

export interface ProofOutcome {
  /** One for each generation that answers queries. */
  readonly certificates: readonly CertificateReply[];
  /** Why it came to no end; `null` = it did. */
  readonly problem: string | null;
}

const LOOK_MS = 250;
/** Without any progress for so long, the index cannot be reached, or nothing can be embedded. */
const PATIENCE_MS = 180_000;

/* What a relay has to write, what is held up, and documents without chunks. */
const LEFT = `
SELECT (SELECT count(*) FROM index_generations WHERE state <> 'retired' AND paused_at IS NOT NULL)::int AS paused,
  (SELECT count(*) FROM index_ledger l JOIN index_generations g ON g.id = l.generation_id WHERE g.state <> 'retired' AND l.state = 'pending')::int AS pending,
  (SELECT count(*) FROM documents WHERE chunked_version IS DISTINCT FROM version AND chunking_error IS NULL)::int AS unchunked`;

interface Left {
  readonly paused: number;
  readonly pending: number;
  readonly unchunked: number;
}

/** Runs the engine in this process until index and rows are in step, and reads both. The data directory must be this process's. */
export async function proveRestoredIndex(config: KindredConfig, show: (text: string) => void): Promise<ProofOutcome> {
  const app = await NestFactory.createApplicationContext(RestoredIndexModule.forRoot(config), { logger: ON_STDERR, abortOnError: false });
  try {
    show('Comparing the index');
    await Promise.all([app.get(DatabaseLifecycle).ready(), app.get(SyncReadiness).whenReady()]);
    const unitOfWork = app.get(RelayUnitOfWork);
    const left = await untilInStep(async () => (await unitOfWork.query<Left>(LEFT)).rows[0]!, show);
    if (left !== null) {
      const problem = `The rows are restored, and the index is not in step yet: ${left.pending} entries to write, ${left.paused} generations on hold. The service goes on with it; see kindred status.`;
      return { certificates: [], problem };
    }
    const catalog = app.get(GenerationCatalog);
    catalog.invalidate();
    const certificates: CertificateReply[] = [];
    for (const generation of await catalog.list()) {
      if (generation.state !== 'serving') continue;
      show(`Reading the index of ${generation.source}`);
      const { id, report } = await app.get(Reconciler).run(generation);
      certificates.push({ id, ...report });
    }
    return { certificates, problem: null };
  } finally {
    await app.close();
  }
}

/** `null` when nothing is left; what is left when nothing gets on any more. */
async function untilInStep(look: () => Promise<Left>, show: (text: string) => void): Promise<Left | null> {
  let seen = '';
  for (let changedMs = performance.now(); ;) {
    const left = await look();
    if (left.paused + left.pending + left.unchunked === 0) return null;
    const now = JSON.stringify(left);
    if (now !== seen) {
      seen = now;
      changedMs = performance.now();
      show(
        left.paused > 0 ? 'Waiting until no write from before the restore can arrive' : `Writing the index: ${left.pending} entries to go`,
      );
    }
    if (performance.now() - changedMs > PATIENCE_MS) return left;
    await delay(LOOK_MS);
  }
}

const toStderr = (message: unknown): void => void process.stderr.write(`${String(message)}\n`);
const silent = (): void => undefined;

/** Standard output is for the result. */
const ON_STDERR: LoggerService = { log: silent, debug: silent, verbose: silent, warn: silent, error: toStderr, fatal: toStderr };
