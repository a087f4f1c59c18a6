import type { Embedder } from '#embeddings';
import type { HeldWrite, HookedVectorStore } from '#testing';
import type { IndexRelay } from '../src/index.js';
import type { RelayPass } from '../src/relay/relay-pass.js';
import type { Outcome, SendResult } from '../src/relay/relay-steps.js';
import type { WorkItem } from '../src/relay/work-item.js';

/** A relay whose steps a test takes one at a time, as in the schedules of the protocol. The store must hold writes. */
export class SteppedRelay {
  pass: RelayPass | null = null;
  /** What the last send put on its way, if anything. */
  message: HeldWrite | null = null;
  items: WorkItem[] = [];
  private sending: Promise<SendResult> | null = null;

  constructor(
    private readonly relay: IndexRelay,
    private readonly store: HookedVectorStore,
    private readonly embedder: Embedder,
  ) {}

  /** C: claims; returns how many entries. */
  async claim(): Promise<number> {
    const [pass] = await this.relay.claim();
    this.pass = pass ?? null;
    return pass?.entries.length ?? 0;
  }

  /** R: reads, decides, and sends what is to be sent; returns the actions. */
  async readAndSend(): Promise<WorkItem['action'][]> {
    const { steps, entries } = this.pass!;
    this.items = await steps.read(entries);
    const { vectors } = await steps.vectors(this.items, () => this.embedder);
    const sending = steps.send(this.items.filter(({ action }) => action !== 'skip'), vectors);
    this.sending = sending;
    await Promise.race([this.store.writeArrives(), sending]);
    this.message = this.store.held.shift() ?? null;
    return this.items.map(({ action }) => action);
  }

  /** D: the message is applied and answered. */
  async deliver(): Promise<void> {
    await this.message?.complete();
    await this.sending;
  }

  /** K: acknowledges; returns the ids that were not reached, and the change of the pass's summary. */
  async acknowledge(): Promise<RelayPass['summary']> {
    const skips = this.items.filter(({ action }) => action === 'skip').map((item): Outcome => ({ item, kind: 'skipped' }));
    const { done } = await this.sending!;
    await this.pass!.steps.acknowledge([...skips, ...done]);
    return this.pass!.summary;
  }

  /** C R D K. */
  async all(): Promise<void> {
    await this.claim();
    await this.readAndSend();
    await this.deliver();
    await this.acknowledge();
  }

  /** X: the process is gone; its message travels on, and is returned. */
  crash(): HeldWrite {
    return this.message!;
  }
}
