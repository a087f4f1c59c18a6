import { SeededRandom, type HeldWrite } from '#testing';
import { payloadHashOf, textHashOf } from '../src/index.js';
import { SteppedRelay } from './stepped-relay.js';
import { idOf, type SyncHarness } from './sync-harness.js';

const KEYS = [1, 2].map(idOf);
const TEXTS = ['A', 'B'];

interface Row {
  readonly text: string;
  readonly complexity: number;
}

interface Actor {
  relay: SteppedRelay;
  step: 'idle' | 'claimed' | 'sent' | 'answered';
}

/** A violated property; its message holds the seed and the history. */
export class ModelViolation extends Error {}

/**
 * One random run of the protocol: writers, two relays whose steps interleave, crashes, expiries, and messages that land late, twice or never.
 *
 * After every step: `synced` is never wrong (P2), versions of a key only grow (P4), no older content takes the place of newer content (P3). At rest:
 * index = rows, and nothing is left behind (P1).
 */
export class ProtocolModel {
  private readonly random: SeededRandom;
  private readonly rows = new Map<string, Row>();
  private readonly versions = new Map<string, number>();
  private readonly revs = new Map<string, number>();
  private readonly history: string[] = [];
  private readonly orphans: HeldWrite[] = [];
  private readonly actors: Actor[];
  /** Few keys and few contents meet more often; the seed decides how few. */
  private readonly keys: readonly string[];
  private readonly complexities: readonly number[];

  constructor(
    private readonly harness: SyncHarness,
    private readonly seed: number,
  ) {
    this.random = new SeededRandom(seed);
    this.keys = this.random.chance(0.6) ? KEYS.slice(0, 1) : KEYS;
    this.complexities = this.random.chance(0.6) ? [1] : [1, 2];
    this.actors = [0, 1].map(() => ({ relay: this.newRelay(), step: 'idle' }));
  }

  /** @throws ModelViolation */
  async run(steps: number): Promise<void> {
    await this.harness.clear();
    this.harness.store.holdWrites();
    for (let n = 0; n < steps; n++) {
      await this.step();
      await this.check();
    }
    await this.rest();
  }

  private async step(): Promise<void> {
    const dice = this.random.next();
    if (dice < 0.25) return this.write();
    if (dice < 0.6) return this.advance(this.random.pick([0, 1]));
    if (dice < 0.72) return this.wholePass(this.random.pick([0, 1]));
    if (dice < 0.84) return this.crash(this.random.pick([0, 1]));
    if (dice < 0.91) return this.landLate();
    if (dice < 0.96) return this.expire();
    return this.passGrace();
  }

  /** Takes a relay to the end of its pass at once, so that states of rest come up often. */
  private async wholePass(index: number): Promise<void> {
    do await this.advance(index);
    while (this.actors[index]!.step !== 'idle');
  }

  private async write(): Promise<void> {
    const id = this.random.pick(this.keys);
    if (this.rows.has(id) && this.random.chance(0.3)) {
      this.history.push(`W${id.at(-1)}:-`);
      this.rows.delete(id);
      await this.harness.remove(id);
      return;
    }
    const row = { text: this.random.pick(TEXTS), complexity: this.random.pick(this.complexities) };
    this.history.push(`W${id.at(-1)}:${row.text}${row.complexity}`);
    this.rows.set(id, row);
    await this.harness.put(id, row.text, row.complexity);
  }

  private async advance(index: number): Promise<void> {
    const actor = this.actors[index]!;
    const { relay } = actor;
    switch (actor.step) {
      case 'idle': {
        // One entry or both, so that passes overlap in part.
        const claimed = await relay.claim(this.random.pick([1, 2]));
        this.history.push(`C${index}(${claimed})`);
        if (claimed > 0) actor.step = 'claimed';
        return;
      }
      case 'claimed':
        this.history.push(`R${index}(${(await relay.readAndSend()).join()})`);
        actor.step = 'sent';
        return;
      case 'sent':
        this.history.push(`D${index}`);
        await relay.deliver();
        actor.step = 'answered';
        return;
      case 'answered':
        this.history.push(`K${index}`);
        await relay.acknowledge();
        this.replace(actor);
        return;
    }
  }

  /** The process is gone; what it has sent travels on, or has just landed; its lease may end before anything else happens. */
  private async crash(index: number): Promise<void> {
    const actor = this.actors[index]!;
    if (actor.step === 'idle') return;
    this.history.push(`X${index}`);
    this.orphans.push(...actor.relay.messages);
    this.replace(actor);
    if (this.random.chance(0.5)) await this.landLate();
    if (this.random.chance(0.5)) await this.expire();
  }

  private async landLate(): Promise<void> {
    if (this.orphans.length === 0) return;
    const message = this.random.pick(this.orphans);
    // Half of them stay and may land once more.
    if (this.random.chance(0.5)) this.orphans.splice(this.orphans.indexOf(message), 1);
    this.history.push(`L(${message.kind} ${message.revs.join()})`);
    await message.land();
  }

  private async expire(): Promise<void> {
    this.history.push('E');
    await this.harness.expireLeases();
  }

  /** The grace is longer than a lease and the time in which a write can land (assumption A): by its end nothing is under way. */
  private async passGrace(): Promise<void> {
    this.history.push('G');
    await this.crash(0);
    await this.crash(1);
    for (const message of this.orphans.splice(0)) if (this.random.chance(0.5)) await message.land();
    await this.harness.expireLeases();
    await this.harness.passTime();
  }

  private async rest(): Promise<void> {
    await this.passGrace();
    await this.check();
    this.harness.store.passWrites();
    // The second round finds the tombstones of the first, the third nothing.
    for (let round = 0; round < 3; round++) {
      await this.harness.drain(this.harness.newRelay());
      await this.check();
      await this.harness.passTime();
    }
    this.history.push('rest');
    for (const id of KEYS) {
      const row = this.rows.get(id);
      const entry = await this.harness.entry(id);
      const point = await this.harness.point(id);
      if (row === undefined)
        this.demand(point === undefined && entry === undefined, `P1: ${id} is deleted, but ${JSON.stringify({ point, entry })}`);
      else this.demand(entry?.state === 'synced' && point !== undefined, `P1: ${id} is ${entry?.state} with ${JSON.stringify(point)}`);
    }
  }

  private async check(): Promise<void> {
    const { generation, database, store } = this.harness;
    const { rows: entries } = await database.query<{ source_id: string; version: string; state: string; indexed_version: string | null }>(
      'SELECT source_id, version, state, indexed_version FROM index_ledger WHERE generation_id = $1',
      [generation.id],
    );
    const points = new Map((await store.retrieve(generation.collection, KEYS)).map((point) => [point.id, point]));
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
      this.demand(isRight, `P2: ${id} is synced with ${JSON.stringify({ row, point, indexed })}`);
    }
    for (const id of KEYS) {
      const rev = points.get(id)?.payload.rev;
      if (rev === undefined) {
        this.revs.delete(id);
        continue;
      }
      this.demand(rev >= (this.revs.get(id) ?? 0), `P3: the point ${id} went from rev ${this.revs.get(id)} to ${rev}`);
      this.revs.set(id, rev);
    }
  }

  private demand(isSo: boolean, what: string): void {
    if (!isSo) throw new ModelViolation(`seed ${this.seed}: ${what}\n  ${this.history.join(' ')}`);
  }

  private replace(actor: Actor): void {
    actor.relay = this.newRelay();
    actor.step = 'idle';
  }

  private newRelay(): SteppedRelay {
    return new SteppedRelay(this.harness.newRelay(), this.harness.store, this.harness.embedder);
  }
}
