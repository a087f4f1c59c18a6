import type { SeededRandom } from '#testing';
import type { RestoreGuard } from '../src/index.js';
import type { ModelRow, ModelTruth } from './model-truth.js';
import type { SyncHarness } from './sync-harness.js';

export interface DamageTools {
  readonly harness: SyncHarness;
  readonly guard: RestoreGuard;
  readonly random: SeededRandom;
  readonly truth: ModelTruth;
  readonly keys: readonly string[];
  note(kind: string, detail: string): void;
}

/** One thing that happens behind the engine's back. Before a restore nothing may be under way: `settle` sees to that, as the grace of rule 10 does. */
export async function damageOnce(tools: DamageTools, settle: () => Promise<void>): Promise<void> {
  const dice = tools.random.next();
  if (dice < 0.35) return losePoint(tools);
  if (dice < 0.6) return alterPoint(tools);
  if (dice < 0.75) return loseCollection(tools);
  return restoreDatabase(tools, settle);
}

async function losePoint({ harness, random, truth, keys, note }: DamageTools): Promise<void> {
  const id = random.pick(keys);
  note('point lost', `-${id.at(-1)}`);
  truth.forgetRevs([id]);
  await harness.store.losePoints(harness.generation.collection, [id]);
}

/** The point keeps its rev and gets other content, as a bad disk, a person or a restored index would leave it; or one from the future. */
async function alterPoint({ harness, random, truth, keys, note }: DamageTools): Promise<void> {
  const id = random.pick(keys);
  const [point] = await harness.store.retrieve(harness.generation.collection, [id], { hasVectors: true });
  if (point === undefined) return;
  const isAhead = random.chance(0.3);
  note(isAhead ? 'point ahead' : 'point altered', `~${id.at(-1)}`);
  truth.forgetRevs([id]);
  const rev = isAhead ? point.payload.rev + 3 : point.payload.rev;
  const payload = { ...point.payload, rev, text_hash: 'ff'.repeat(32) };
  await harness.store.replacePoints(harness.generation.collection, [{ id, vector: point.vector!, payload }]);
}

async function loseCollection({ harness, truth, note, keys }: DamageTools): Promise<void> {
  note('collection lost', 'lost');
  harness.catalog.detach(harness.generation.id);
  truth.forgetRevs(keys);
  await harness.store.drop(harness.generation.collection);
  await harness.attacher.attach(harness.generation, harness.source);
}

/** The database goes back to a copy of itself; some writes later, the index does not. */
async function restoreDatabase(tools: DamageTools, settle: () => Promise<void>): Promise<void> {
  const { harness, guard, random, truth, note, keys } = tools;
  const copy = await dump(harness, truth);
  note('database restored', 'restore');
  // What is lost by the restore: it has reached the index, or part of it.
  for (let n = random.pick([1, 2, 3]); n > 0; n--) {
    const id = random.pick(keys);
    if (truth.rows.has(id) && random.chance(0.3)) await truth.remove(id);
    else await truth.put(id, { text: random.pick(['A', 'B']), complexity: random.pick([1, 2]) });
  }
  harness.store.passWrites();
  if (random.chance(0.7)) await harness.newRelay().runOnce();
  // A point that was deleted here may come back by a message that lands late.
  await truth.check();
  harness.store.holdWrites();
  await settle();
  await load(harness, copy);
  truth.restoreRows(copy.rows);
  await guard.heal(harness.generation);
  harness.catalog.invalidate();
}

interface Copy {
  readonly rows: ReadonlyMap<string, ModelRow>;
  readonly ledger: string;
  readonly sequence: string;
  readonly epochs: string;
}

async function dump({ database }: SyncHarness, truth: ModelTruth): Promise<Copy> {
  const { rows } = await database.query<{ ledger: string; sequence: string; epochs: string }>(
    `SELECT (SELECT coalesce(json_agg(l), '[]')::text FROM index_ledger l) AS ledger, (SELECT last_value::text FROM index_version_seq) AS sequence,
       (SELECT json_agg(json_build_object('id', id, 'epoch', epoch, 'previous_epoch', previous_epoch))::text FROM index_generations) AS epochs`,
  );
  return { rows: new Map(truth.rows), ...rows[0]! };
}

async function load(harness: SyncHarness, { rows, ledger, sequence, epochs }: Copy): Promise<void> {
  // The epoch moves on at every check; the copy is from before the last one.
  await harness.guard.advance(harness.generation);
  await harness.database.query('DELETE FROM projects');
  for (const [id, row] of rows) await harness.put(id, row.text, row.complexity);
  // As a dump does: the ledger is what it was, whatever the triggers have just made of it.
  await harness.database.query('DELETE FROM index_ledger');
  await harness.database.query('INSERT INTO index_ledger SELECT * FROM json_populate_recordset(NULL::index_ledger, $1)', [ledger]);
  await harness.database.query(
    `UPDATE index_generations g SET epoch = e.epoch, previous_epoch = e.previous_epoch
     FROM json_to_recordset($1) AS e (id integer, epoch uuid, previous_epoch uuid) WHERE e.id = g.id`,
    [epochs],
  );
  await harness.database.query(`SELECT setval('index_version_seq', $1::bigint)`, [sequence]);
}
