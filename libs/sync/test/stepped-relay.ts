import type { Embedder } from '#embeddings';
import type { HeldWrite, HookedVectorStore } from '#testing';
import type { IndexRelay } from '../src/index.js';
import type { RelayPass } from '../src/relay/relay-pass.js';
import type { Outcome, SendResult } from '../src/relay/relay-steps.js';
import type { WorkItem } from '../src/relay/work-item.js';

/** A relay whose steps a test takes one at a time, as in the schedules of the protocol. The store must hold writes. */
export class SteppedRelay {
  pass: RelayPass | null = null;
  /** What the last send put on its way: an upsert, a delete, both or nothing. */
  messages: HeldWrite[] = [];
  items: WorkItem[] = [];
  private sending: Promise<SendResult> | null = null;

  constructor(
    private readonly relay: IndexRelay,
    private readonly store: HookedVectorStore,
    private readonly embedder: Embedder,
  ) {}

  /** C: claims; returns how many entries. */
  async claim(limit?: number): Promise<number> {
    const [pass] = await this.relay.claim(limit);
    this.pass = pass ?? null;
    return pass?.entries.length ?? 0;
  }

  /** R: reads, decides, and sends what is to be sent; returns the actions. */
  async readAndSend(): Promise<WorkItem['action'][]> {
    const { steps, entries } = this.pass!;
    this.items = await steps.read(entries);
    const { vectors } = await steps.vectors(this.items, () => this.embedder);
    const sending = steps.send(
      this.items.filter(({ action }) => action !== 'skip'),
      vectors,
    );
    this.sending = sending;
    await this.collect(this.items, sending);
    return this.items.map(({ action }) => action);
  }

  /** The only message, for the schedules of one key. */
  get message(): HeldWrite | null {
    return this.messages[0] ?? null;
  }

  /** D: all messages are applied and answered. */
  async deliver(): Promise<void> {
    for (const message of this.messages) await message.complete();
    await this.sending;
  }

  /** K: acknowledges; returns the ids that were not reached, and the change of the pass's summary. */
  async acknowledge(): Promise<RelayPass['summary']> {
    const skips = this.items.filter(({ action }) => action === 'skip').map((item): Outcome => ({ item, kind: 'skipped' }));
    const { done } = await this.sending!;
    await this.pass!.steps.acknowledge([...skips, ...done]);
    return this.pass!.summary;
  }

  /** Takes what is sent, as soon as it is: each kind of action makes at most one message, and the check of a tombstone may make none. */
  private async collect(items: readonly WorkItem[], sending: Promise<SendResult>): Promise<void> {
    const isSettled = sending.then(() => true);
    const certain = new Set(items.map(({ action }) => action).filter((action) => action === 'upsert' || action === 'delete')).size;
    const mayVerify = items.some(({ action }) => action === 'verify');
    this.messages = [];
    // A lease that turns out to be lost sends less, or nothing.
    let isOver = false;
    void sending.then(() => (isOver = true));
    while (this.messages.length < certain && !isOver) {
      await Promise.race([isSettled, this.store.writeArrives()]);
      this.messages.push(...this.store.held.splice(0));
    }
    if (!mayVerify) return;
    // The double answers a retrieve in the same turn of the event loop, so whatever follows from it has been sent by the next one.
    await Promise.race([isSettled, new Promise((resolve) => setImmediate(resolve))]);
    this.messages.push(...this.store.held.splice(0));
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
