import { payloadHashOf, textHashOf } from '../src/index.js';
import { markPending } from '../src/ledger/mark-pending.js';
import type { SyncHarness } from './sync-harness.js';

/** A text that the embedder refuses. */
export const POISON = 'P';

export interface ModelRow {
  readonly text: string;
  readonly complexity: number;
}

interface Entry {
  source_id: string;
  version: string;
  state: string;
  indexed_version: string | null;
  last_error: object | null;
}

/** A violated property; its message holds the seed and the history. */
export class ModelViolation extends Error {}

/** What is true in one run of the model, and whether ledger and index say so. */
export class ModelTruth {
  readonly rows = new Map<string, ModelRow>();
  /** Points that were damaged behind the engine's back, and not seen right since: until a repair `synced` may be wrong about them. */
  readonly damaged = new Set<string>();
  /** Whether anything was damaged in this run. */
  wasDamaged = false;
  private readonly versions = new Map<string, number>();
  private readonly revs = new Map<string, number>();

  constructor(
    private readonly harness: SyncHarness,
    private readonly keys: readonly string[],
    private readonly violation: (what: string) => ModelViolation,
  ) {}

  async put(id: string, row: ModelRow): Promise<void> {
    this.rows.set(id, row);
    await this.harness.put(id, row.text, row.complexity);
  }

  async remove(id: string): Promise<void> {
    this.rows.delete(id);
    await this.harness.remove(id);
  }

  /** The points' revs are what they are now: somebody else has changed them. */
  forgetRevs(ids: Iterable<string>): void {
    this.wasDamaged = true;
    for (const id of ids) {
      this.damaged.add(id);
      this.revs.delete(id);
    }
  }

  /** The database is an older copy of itself. */
  restoreRows(rows: ReadonlyMap<string, ModelRow>): void {
    this.rows.clear();
    for (const [id, row] of rows) this.rows.set(id, row);
    this.versions.clear();
    this.forgetRevs(this.keys);
  }

  demand(isSo: boolean, what: string): void {
    if (!isSo) throw this.violation(what);
  }

  async check(): Promise<void> {
    const { generation, store } = this.harness;
    const entries = await this.entries();
    const points = new Map((await store.retrieve(generation.collection, this.keys)).map((point) => [point.id, point]));
    for (const { source_id: id, state, indexed_version: indexed, ...entry } of entries) {
      const version = Number(entry.version);
      this.demand(version >= (this.versions.get(id) ?? 0), `P4: ${id} went from ${this.versions.get(id)} to ${version}`);
      this.versions.set(id, version);
      if (state !== 'synced') continue;
      const row = this.rows.get(id);
      const point = points.get(id);
      const isRight =
        row !== undefined &&
        point !== undefined &&
        point.payload.rev === Number(indexed) &&
        point.payload.text_hash === textHashOf(generation.modelRev, generation.templateRev, row.text).toString('hex') &&
        point.payload.payload_hash === payloadHashOf({ complexity: row.complexity }).toString('hex');
      if (isRight) this.damaged.delete(id);
      else this.demand(this.damaged.has(id), `P2: ${id} is synced with ${JSON.stringify({ row, point, indexed })}`);
    }
    for (const id of this.keys) {
      const rev = points.get(id)?.payload.rev;
      if (rev === undefined) {
        this.revs.delete(id);
        continue;
      }
      this.demand(rev >= (this.revs.get(id) ?? 0), `P3: the point ${id} went from rev ${this.revs.get(id)} to ${rev}`);
      this.revs.set(id, rev);
    }
  }

  /** Lost replies may have killed rows that can be embedded; a person would requeue those. */
  async requeueGoodRows(): Promise<void> {
    const good = (await this.entries()).filter(({ source_id: id, state }) => state === 'dead' && this.rows.get(id)?.text !== POISON);
    const suspects = good.map(({ source_id: sourceId }) => ({ sourceId, seenVersion: null, pointRev: null }));
    await markPending(this.harness.database.relayUnitOfWork, this.harness.generation.id, suspects, { states: ['dead'] });
  }

  async isAtRest(): Promise<boolean> {
    const entries = await this.entries();
    return entries.every(({ source_id: id, state }) => state === (this.rows.get(id)?.text === POISON ? 'dead' : 'synced'));
  }

  /** What the relays owe without a reconciler: no point of a row that is gone. */
  async checkNoOrphans(): Promise<void> {
    for (const id of this.keys) {
      if (this.rows.has(id)) continue;
      const point = await this.harness.point(id);
      this.demand(point === undefined, `P1: ${id} is deleted, but the relays have left ${JSON.stringify(point)}`);
    }
  }

  async checkAtRest(): Promise<void> {
    const entries = new Map((await this.entries()).map((entry) => [entry.source_id, entry]));
    for (const id of this.keys) {
      const row = this.rows.get(id);
      const entry = entries.get(id);
      const point = await this.harness.point(id);
      if (row === undefined) {
        this.demand(point === undefined && entry === undefined, `P1: ${id} is deleted, but ${JSON.stringify({ point, entry })}`);
      } else if (row.text === POISON) {
        this.demand(entry?.state === 'dead' && entry.last_error !== null, `P1: the poison ${id} is ${JSON.stringify(entry)}`);
      } else {
        this.demand(entry?.state === 'synced' && point !== undefined, `P1: ${id} is ${entry?.state} with ${JSON.stringify(point)}`);
        // `check` has compared it, unless it still counts as damaged.
        this.demand(!this.damaged.has(id), `P1b: ${id} was damaged and is not healed: ${JSON.stringify({ row, point })}`);
      }
    }
  }

  private async entries(): Promise<Entry[]> {
    const { rows } = await this.harness.database.query<Entry>(
      'SELECT source_id, version, state, indexed_version, last_error FROM index_ledger WHERE generation_id = $1',
      [this.harness.generation.id],
    );
    return rows;
  }
}
