const OPEN = 0;
const WITHDRAWN = -1;

/**
 * Decides, without a message, who embeds a text that several threads were offered: the first that is free takes it, exactly one can.
 *
 * One int32 in shared memory: 0 = open, -1 = withdrawn by the caller, otherwise the number of the thread that took it.
 */
export class Claim {
  private readonly cell: Int32Array;

  constructor(readonly shared: SharedArrayBuffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.cell = new Int32Array(shared);
  }

  /** Takes the text for this thread; `false` when another has it or the caller gave up. */
  take(workerNumber: number): boolean {
    return Atomics.compareExchange(this.cell, 0, OPEN, workerNumber) === OPEN;
  }

  /** Makes sure that nobody takes the text from now on; `false` when somebody already has. */
  withdraw(): boolean {
    return Atomics.compareExchange(this.cell, 0, OPEN, WITHDRAWN) === OPEN;
  }

  /** The number of the thread that took the text, or `null`. */
  get holder(): number | null {
    const value = Atomics.load(this.cell, 0);
    return value > OPEN ? value : null;
  }
}
