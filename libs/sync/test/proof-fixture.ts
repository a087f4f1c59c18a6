import type { VectorPoint } from '#vector-store';
import type { Certificate, IndexSource } from '../src/index.js';
import type { SyncHarness } from './sync-harness.js';

/** Differences by kind. */
export function describeCounts({ report }: Pick<Certificate, 'report'>): Record<string, number> {
  return Object.fromEntries(Object.entries(report.differences).map(([kind, { count }]) => [kind, count]));
}

/** Counts the rows that are loaded from a source. */
export class CountingSource {
  total = 0;
  largest = 0;

  constructor(private readonly source: IndexSource) {}

  async during<T>(work: () => Promise<T>): Promise<T> {
    const load = this.source.load.bind(this.source);
    const spy = jest.spyOn(this.source, 'load').mockImplementation((ids, session) => {
      this.total += ids.length;
      this.largest = Math.max(this.largest, ids.length);
      return load(ids, session);
    });
    try {
      return await work();
    } finally {
      spy.mockRestore();
    }
  }
}

const COPIED = ['projects', 'index_ledger'] as const;
const CAPTURE = [
  'projects_touch',
  'kindred_capture_insert',
  'kindred_capture_update',
  'kindred_capture_delete',
  'kindred_capture_truncate',
];

/** Statements that run without the triggers of the rows, as a restore does. */
export async function pastTheTriggers(harness: SyncHarness, ...statements: readonly string[]): Promise<void> {
  await harness.database.query('ALTER TABLE projects DISABLE TRIGGER USER');
  try {
    for (const statement of statements) await harness.database.query(statement);
  } finally {
    await harness.database.query(`ALTER TABLE projects ${CAPTURE.map((name) => `ENABLE ALWAYS TRIGGER ${name}`).join(', ')}`);
  }
}

/** Copies rows, ledger, epochs and sequence, and puts them back as a restored dump would; the engine goes on meanwhile. */
export async function dumpDatabase(harness: SyncHarness): Promise<() => Promise<void>> {
  const { database } = harness;
  for (const table of COPIED) {
    await database.query(`DROP TABLE IF EXISTS dump_${table}`);
    await database.query(`CREATE TABLE dump_${table} AS SELECT * FROM ${table}`);
  }
  const { rows } = await database.query<{ epoch: string; previous_epoch: string | null; last_value: string }>(
    'SELECT epoch, previous_epoch, last_value FROM index_generations, index_version_seq WHERE id = $1',
    [harness.generation.id],
  );
  const { epoch, previous_epoch: previous, last_value: last } = rows[0]!;
  return async () => {
    await pastTheTriggers(
      harness,
      ...COPIED.flatMap((table) => [`DELETE FROM ${table}`, `INSERT INTO ${table} SELECT * FROM dump_${table}`]),
    );
    await database.query(
      'UPDATE index_generations SET epoch = $2, previous_epoch = $3, paused_at = NULL, pause_reason = NULL WHERE id = $1',
      [harness.generation.id, epoch, previous],
    );
    await database.query(`SELECT setval('index_version_seq', $1::bigint)`, [last]);
  };
}

/** Copies all points and the epoch of the collection, and puts them back as a restored snapshot would. */
export async function dumpIndex(harness: SyncHarness): Promise<() => Promise<void>> {
  const { store, generation } = harness;
  const all = async () => (await store.scroll(generation.collection, { limit: 100_000, hasVectors: true })).points as VectorPoint[];
  const points = await all();
  const { metadata } = (await store.info(generation.collection))!;
  return async () => {
    store.uproot(
      generation.collection,
      (await all()).map(({ id }) => id),
    );
    await store.replacePoints(generation.collection, points);
    await store.setMetadata(generation.collection, { epoch: metadata['epoch'] ?? null });
  };
}
