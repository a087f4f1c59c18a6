import { RelayUnitOfWork } from '#database';
import { GenerationCatalog, IndexSourceRegistry, payloadHashOf, Reconciler, textHashOf } from '#sync';
import { VectorStore, type StoredPoint } from '#vector-store';
import type { INestApplicationContext } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';

/** What one look at rest has found; every list is empty when all is well. */
export interface IndexReport {
  readonly rows: number;
  readonly points: number;
  /** Ids without their point, points without their row, points that are not their row. */
  readonly missing: readonly string[];
  readonly orphans: readonly string[];
  readonly different: readonly string[];
  /** What is still pending, or dead without a reason. */
  readonly unsettled: readonly string[];
  /** By id. */
  readonly revs: Readonly<Record<string, number>>;
  /** Decision of the reconciliation, which reads both sides as well. */
  readonly certificate: string;
}

const SOURCE = 'projects';
const PAGE_SIZE = 1_000;
const LOOK_MS = 100;
const SETTLES_WITHIN_MS = 90_000;

const OPEN = `
SELECT (SELECT count(*) FROM index_ledger l JOIN index_generations g ON g.id = l.generation_id WHERE g.state <> 'retired' AND l.state IN ('pending', 'tombstone'))::int
  + (SELECT count(*) FROM index_generations WHERE state <> 'retired' AND paused_at IS NOT NULL)::int AS count`;
const UNSETTLED = `
SELECT l.source_id AS id, l.state, l.last_error FROM index_ledger l JOIN index_generations g ON g.id = l.generation_id
WHERE g.state <> 'retired' AND l.state IN ('pending', 'tombstone', 'dead')`;

/** Waits until the engine is through, and reads both sides by itself: rows and their hashes from PostgreSQL, points from the store. */
export async function checkIndex(app: INestApplicationContext): Promise<IndexReport> {
  const session = app.get(RelayUnitOfWork);
  const store = app.get(VectorStore);
  const source = app.get(IndexSourceRegistry).get(SOURCE);
  await untilSettled(async () => (await session.query<{ count: number }>(OPEN)).rows[0]!.count);
  const catalog = app.get(GenerationCatalog);
  catalog.invalidate();
  const generation = (await catalog.list()).find((one) => one.source === SOURCE && one.state === 'serving')!;
  const documents = await session.run(async (snapshot) => source.load(await source.listIds(null, PAGE_SIZE, snapshot), snapshot), {
    isolation: 'REPEATABLE READ',
    isReadOnly: true,
  });
  const points = new Map<string, StoredPoint>();
  for (let after: string | undefined; ;) {
    const page = await store.scroll(generation.collection, { limit: PAGE_SIZE, after });
    for (const point of page.points) points.set(point.id, point);
    if (page.next === null) break;
    after = page.next;
  }
  const ids = new Set(documents.map(({ id }) => id));
  const { rows: unsettled } = await session.query<{ id: string; state: string; last_error: { code?: string } | null }>(UNSETTLED);
  const { report } = await app.get(Reconciler).run(generation, { isReadOnly: true });
  return {
    rows: documents.length,
    points: points.size,
    missing: documents.filter(({ id }) => !points.has(id)).map(({ id }) => id),
    orphans: [...points.keys()].filter((id) => !ids.has(id)),
    different: documents
      .filter(({ id, text, payload }) => {
        const point = points.get(id)?.payload;
        if (point === undefined) return false;
        const textHash = textHashOf(generation.modelRev, generation.templateRev, text).toString('hex');
        const isSame = point.text_hash === textHash && point.payload_hash === payloadHashOf(payload).toString('hex');
        return !isSame || point.model_rev !== generation.modelRev;
      })
      .map(({ id }) => id),
    unsettled: unsettled
      .filter(({ state, last_error: error }) => state !== 'dead' || error?.code === undefined)
      .map(({ id, state }) => `${id} is ${state}`),
    revs: Object.fromEntries([...points].map(([id, { payload }]) => [id, payload.rev])),
    certificate: report.decision,
  };
}

/** What is still open after the time is reported, not thrown. */
async function untilSettled(countOpen: () => Promise<number>): Promise<void> {
  const deadlineMs = performance.now() + SETTLES_WITHIN_MS;
  while (performance.now() < deadlineMs && (await countOpen()) > 0) await delay(LOOK_MS);
}
