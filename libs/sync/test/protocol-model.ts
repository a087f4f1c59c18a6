import { MutatedUnitOfWork, SeededRandom, type HeldWrite } from '#testing';
import { setTimeout as delay } from 'node:timers/promises';
import type { IndexRelay, Reconciler, RestoreGuard } from '../src/index.js';
import { damageOnce, type DamageTools } from './model-damage.js';
import { MODEL_PROFILES, MODEL_WEIGHTS, type ModelOperation, type ModelProfile } from './model-profile.js';
import { ModelTruth, POISON, ModelViolation } from './model-truth.js';
import type { ProtocolMutant } from './protocol-mutants.js';
import { SkewedClock } from './skewed-clock.js';
import { SteppedRelay } from './stepped-relay.js';
import { idOf, type SyncHarness } from './sync-harness.js';

export { ModelViolation } from './model-truth.js';

const KEYS = [1, 2].map(idOf);
const TEXTS = ['A', 'B'];
/** A good row may lose two replies before it dies; poison dies soon. */
const MAX_ATTEMPTS = 3;
const LEASE_MS = 60_000;
/** Rounds of repair and work after which everything must be at rest: two for a loss that was skipped over, and the tombstones. */
const REST_ROUNDS = 8;
/** Of one round: each key needs a handful. */
const MAX_PASSES = 60;

interface Actor {
  readonly clock: SkewedClock;
  relay: IndexRelay;
  stepped: SteppedRelay;
  step: 'idle' | 'claimed' | 'sent' | 'answered';
}

export interface ModelOptions {
  /** A guard that is missing; the run should then find a violation. */
  readonly mutant?: ProtocolMutant;
  /** Operations are counted here, and faults by kind. */
  readonly tally?: ModelTally;
  /** Default: by the seed. */
  readonly profile?: ModelProfile;
}

export class ModelTally {
  operations = 0;
  readonly faults = new Map<string, number>();

  get faultCount(): number {
    return [...this.faults.values()].reduce((sum, count) => sum + count, 0);
  }

  countFault(kind: string): void {
    this.faults.set(kind, (this.faults.get(kind) ?? 0) + 1);
  }
}

/**
 * One random run of the protocol on a real PostgreSQL: writers, two relays whose steps interleave, and everything that goes wrong: crashes, expiries,
 * lost replies, messages that land late, twice or never, lost and altered points, lost collections, restored databases, jumping clocks, poison.
 *
 * After every step: `synced` is never wrong but for what was damaged behind the engine's back (P2), versions of a key only grow (P4), no older content
 * takes the place of newer content (P3). At rest, with the reconciler: index = rows, nothing is left behind, and it comes to an end (P1, P1b, P5).
 */
export class ProtocolModel {
  readonly history: string[] = [];
  private readonly random: SeededRandom;
  private readonly truth: ModelTruth;
  private readonly orphans: HeldWrite[] = [];
  private readonly stalled: { readonly stepped: SteppedRelay; readonly step: Actor['step']; readonly index: number }[] = [];
  private readonly actors: Actor[];
  private readonly tally: ModelTally;
  private readonly damage: DamageTools;
  /** Few keys and few contents meet more often; the seed decides how few. */
  private readonly keys: readonly string[];
  private readonly complexities: readonly number[];
  private readonly hasPoison: boolean;
  private readonly weights: Partial<Record<ModelOperation, number>>;
  /** Reconciler and guard of this run, maybe without one of their guards. */
  private readonly repairs: MutatedUnitOfWork;
  private readonly guard: RestoreGuard;
  private readonly reconciler: Reconciler;
  private isAhead = false;

  constructor(
    private readonly harness: SyncHarness,
    seed: number,
    private readonly options: ModelOptions = {},
  ) {
    this.weights = MODEL_WEIGHTS[options.profile ?? MODEL_PROFILES[seed % MODEL_PROFILES.length]!];
    this.random = new SeededRandom(seed);
    this.tally = options.tally ?? new ModelTally();
    this.keys = this.random.chance(0.6) ? KEYS.slice(0, 1) : KEYS;
    this.complexities = this.random.chance(0.6) ? [1] : [1, 2];
    this.hasPoison = options.profile !== 'steps' && this.random.chance(0.3);
    this.truth = new ModelTruth(harness, KEYS, (what) => new ModelViolation(`seed ${seed}: ${what}\n  ${this.history.join(' ')}`));
    this.repairs = new MutatedUnitOfWork(harness.database.relayUnitOfWork, options.mutant?.repair ?? []);
    this.guard = harness.newGuard(0, this.repairs);
    this.reconciler = harness.newReconciler({ unitOfWork: this.repairs, onAhead: () => (this.isAhead = true) });
    this.damage = {
      harness,
      guard: this.guard,
      random: this.random,
      truth: this.truth,
      keys: this.keys,
      note: (kind, detail) => this.fault(kind, detail),
    };
    this.actors = [0, 1].map(() => this.newActor());
  }

  /** @throws ModelViolation */
  async run(steps: number): Promise<void> {
    await this.harness.clear();
    await this.harness.database.query(`UPDATE index_generations SET paused_at = NULL, pause_reason = NULL`);
    this.harness.catalog.invalidate();
    this.harness.embedder.failWhen((text) => (text === POISON ? new Error('cannot be embedded') : null));
    this.harness.store.holdWrites();
    for (let n = 0; n < steps; n++) {
      await this.step();
      this.tally.operations++;
      await this.truth.check();
    }
    await this.rest();
  }

  private async step(): Promise<void> {
    const index = this.random.pick([0, 1]);
    switch (this.pickOperation()) {
      case 'write':
        return this.write();
      case 'advance':
        return this.advance(index);
      case 'pass':
        return this.wholePass(index);
      case 'faulty pass':
        return this.faultyRun(index);
      case 'stall':
        return this.stall(index);
      case 'resume':
        return this.resume();
      case 'crash':
        return this.actors[index]!.step === 'idle' ? this.advance(index) : this.crash(index);
      case 'late':
        return this.landLate();
      case 'expire':
        return this.expire();
      case 'grace':
        return this.passGrace();
      case 'clock':
        return this.jumpClock(index);
      case 'repair':
        return void (await this.repair());
      case 'damage':
        return this.hurt();
    }
  }

  private pickOperation(): ModelOperation {
    let dice = this.random.next() * 100;
    for (const [operation, weight] of Object.entries(this.weights) as [ModelOperation, number][]) {
      dice -= weight;
      if (dice < 0) return operation;
    }
    return 'advance';
  }

  /** Takes a relay to the end of its pass at once, so that states of rest come up often. */
  private async wholePass(index: number): Promise<void> {
    do await this.advance(index);
    while (this.actors[index]!.step !== 'idle');
  }

  private async write(): Promise<void> {
    const id = this.random.pick(this.keys);
    if (this.truth.rows.has(id) && this.random.chance(0.35)) {
      this.history.push(`W${id.at(-1)}:-`);
      await this.truth.remove(id);
      return;
    }
    const isPoison = this.hasPoison && this.random.chance(0.2);
    const row = { text: isPoison ? POISON : this.random.pick(TEXTS), complexity: this.random.pick(this.complexities) };
    if (isPoison) this.tally.countFault('poison');
    this.history.push(`W${id.at(-1)}:${row.text}${row.complexity}`);
    await this.truth.put(id, row);
  }

  private async advance(index: number): Promise<void> {
    const actor = this.actors[index]!;
    const { stepped } = actor;
    switch (actor.step) {
      case 'idle': {
        // One entry or both, so that passes overlap in part.
        const claimed = await stepped.claim(this.random.pick([1, 2]));
        this.history.push(`C${index}(${claimed})`);
        if (claimed > 0) actor.step = 'claimed';
        return;
      }
      case 'claimed':
        this.history.push(`R${index}(${(await this.readAndSend(stepped)).join()})`);
        actor.step = 'sent';
        return;
      case 'sent':
        this.history.push(`D${index}`);
        await stepped.deliver();
        actor.step = 'answered';
        return;
      case 'answered':
        this.history.push(`K${index}`);
        await stepped.acknowledge();
        this.replace(index);
        return;
    }
  }

  /** Now and then a writer commits between the two reads of the relay's snapshot. */
  private async readAndSend(stepped: SteppedRelay): Promise<string[]> {
    const { source } = this.harness;
    if (this.random.chance(0.15)) {
      source.beforeLoad = async () => {
        source.beforeLoad = () => Promise.resolve();
        await this.write();
      };
    }
    try {
      return await stepped.readAndSend();
    } finally {
      source.beforeLoad = () => Promise.resolve();
    }
  }

  /** A whole pass of the relay itself, with its own treatment of failures, while each of its writes meets a fate of its own. */
  private async faultyRun(index: number): Promise<void> {
    const actor = this.actors[index]!;
    if (actor.step !== 'idle') return this.advance(index);
    if (this.random.chance(0.5)) await this.write();
    const { store } = this.harness;
    this.history.push(`F${index}(`);
    let isDone = false;
    const running = actor.relay.runOnce().finally(() => (isDone = true));
    while (!isDone) {
      await Promise.race([running, store.writeArrives()]);
      for (const message of store.held.splice(0)) await this.meetFate(message);
    }
    const { claimed } = await running;
    this.history.push(`${claimed})`);
    this.replace(index);
    await this.forgetBackoff();
  }

  private async meetFate(message: HeldWrite): Promise<void> {
    if (this.random.chance(0.2)) await this.write();
    const dice = this.random.next();
    const failure = new Error('The fate of the model');
    if (dice < 0.4) return message.complete();
    if (dice < 0.55) {
      this.fault('write failed', 'f');
      message.fail(failure);
    } else if (dice < 0.8) {
      this.fault('reply lost', 'r');
      await message.loseReply();
    } else {
      this.fault('write late', 'l');
      message.fail(failure);
      this.orphans.push(message);
    }
  }

  /** The process is gone; what it has sent travels on, or has just landed; its lease may end before anything else happens. */
  private async crash(index: number): Promise<void> {
    const actor = this.actors[index]!;
    if (actor.step === 'idle') return;
    this.fault('crash', `X${index}`);
    this.orphans.push(...actor.stepped.messages);
    this.replace(index);
    if (this.random.chance(0.5)) await this.landLate();
    if (this.random.chance(0.5)) await this.expire();
  }

  /** A pass stops between two steps, and its process goes on with another one. */
  private stall(index: number): void {
    const { stepped, step, relay } = this.actors[index]!;
    if (step === 'idle') return;
    this.fault('pass stalled', `S${index}`);
    this.stalled.push({ stepped, step, index });
    this.actors[index] = { ...this.actors[index]!, relay, stepped: this.newStepped(relay), step: 'idle' };
  }

  /** A stalled pass takes its next step; what the lease of it has become is its problem. */
  private async resume(): Promise<void> {
    if (this.stalled.length === 0) return;
    const pass = this.random.pick(this.stalled);
    const other = this.actors[pass.index]!;
    this.actors[pass.index] = { ...other, stepped: pass.stepped, step: pass.step };
    this.history.push('~');
    await this.advance(pass.index);
    const { stepped, step } = this.actors[pass.index]!;
    this.stalled.splice(this.stalled.indexOf(pass), 1, ...(step === 'idle' ? [] : [{ ...pass, stepped, step }]));
    this.actors[pass.index] = other;
  }

  private async landLate(): Promise<void> {
    if (this.orphans.length === 0) return;
    const message = this.random.pick(this.orphans);
    // Half of them stay and may land once more.
    if (this.random.chance(0.5)) this.orphans.splice(this.orphans.indexOf(message), 1);
    this.fault('late or double delivery', `L(${message.kind} ${message.ids.map((id) => id.at(-1)).join()})`);
    await this.land(message);
  }

  private async expire(): Promise<void> {
    this.fault('leases expired', 'E');
    await this.harness.expireLeases();
  }

  /** The monotonic clock of one process runs ahead by a lease: it must not send without a new one. Its wall clock is off by a day. */
  private async jumpClock(index: number): Promise<void> {
    this.fault('clock jumped', `J${index}`);
    this.actors[index]!.clock.jump(LEASE_MS);
    return Promise.resolve();
  }

  /** The grace is longer than a lease and the time in which a write can land (assumption A): by its end nothing is under way. */
  private async passGrace(): Promise<void> {
    this.history.push('G');
    await this.settleMessages();
    await this.harness.passTime();
  }

  /** Nothing is under way any more: relays are gone, and what they sent has landed or never will. */
  private async settleMessages(): Promise<void> {
    await this.crash(0);
    await this.crash(1);
    for (const { stepped } of this.stalled.splice(0)) this.orphans.push(...stepped.messages);
    for (const message of this.orphans.splice(0)) {
      if (this.random.chance(0.5)) await this.land(message);
    }
    await this.harness.expireLeases();
  }

  /** Looks after each message: a late delete and then a late upsert would look like a rev that went down. */
  private async land(message: HeldWrite): Promise<void> {
    await message.land();
    await this.truth.check();
  }

  private async hurt(): Promise<void> {
    await damageOnce(this.damage, () => this.settleMessages());
  }

  /** The reconciler, whatever else is under way; it skips what is in flight. */
  private async repair(): Promise<string> {
    this.isAhead = false;
    const { decision } = await this.reconciler.run(this.harness.generation, { isForced: true, sampleSize: 0 });
    this.history.push(`Q(${decision}${this.isAhead ? ' ahead' : ''})`);
    if (this.isAhead) await this.heal();
    return decision;
  }

  /** A point is newer than the database can have made it: rule 10, whose grace ends what is under way. */
  private async heal(): Promise<void> {
    await this.settleMessages();
    await this.guard.heal(this.harness.generation);
    this.harness.catalog.invalidate();
  }

  private async rest(): Promise<void> {
    await this.passGrace();
    await this.truth.check();
    this.harness.store.passWrites();
    if (!this.truth.wasDamaged) {
      await this.drain();
      await this.harness.passTime();
      await this.drain();
      await this.truth.checkNoOrphans();
    }
    let decision = '';
    for (let round = 1; round <= REST_ROUNDS; round++) {
      await this.drain();
      await this.truth.check();
      await this.harness.passTime();
      await this.truth.requeueGoodRows();
      decision = await this.repair();
      if (decision === 'clean' && (await this.truth.isAtRest())) break;
    }
    this.history.push('rest');
    this.truth.demand(decision === 'clean', `P5: after ${REST_ROUNDS} rounds the certificate is ${decision}`);
    await this.truth.checkAtRest();
  }

  private async drain(): Promise<void> {
    const relay = this.newRelay(new SkewedClock());
    for (let passes = 0; passes < MAX_PASSES; passes++) if ((await relay.runOnce()).claimed === 0) return;
    this.truth.demand(false, `P5: ${MAX_PASSES} passes, and still something is due`);
  }

  /** Back-offs are real time, which a seed cannot repeat. */
  private async forgetBackoff(): Promise<void> {
    await this.harness.database.query(`UPDATE index_ledger SET next_attempt_at = now() WHERE state = 'pending'`);
  }

  private fault(kind: string, detail: string): void {
    this.tally.countFault(kind);
    this.history.push(detail);
  }

  private newActor(): Actor {
    const clock = new SkewedClock();
    const relay = this.newRelay(clock);
    return { clock, relay, stepped: this.newStepped(relay), step: 'idle' };
  }

  private replace(index: number): void {
    const actor = this.actors[index]!;
    actor.relay = this.newRelay(actor.clock);
    actor.stepped = this.newStepped(actor.relay);
    actor.step = 'idle';
  }

  private newRelay(clock: SkewedClock): IndexRelay {
    const { mutant } = this.options;
    const relay = this.harness.newRelay(
      { maxAttempts: MAX_ATTEMPTS, leaseMs: LEASE_MS, ...mutant?.settings },
      { clock, random: () => 0, ...mutant?.context?.(this.harness) },
    );
    mutant?.relay?.(relay, this.harness);
    return relay;
  }

  private newStepped(relay: IndexRelay): SteppedRelay {
    return new SteppedRelay(relay, this.harness.store, this.harness.embedder);
  }
}

/** Lets everything that was begun come to its end, for runs that end with a violation in the middle. */
export async function letGo(harness: SyncHarness): Promise<void> {
  for (const message of harness.store.held.splice(0)) message.fail(new Error('The run is over'));
  harness.store.passWrites();
  await delay(0);
}
