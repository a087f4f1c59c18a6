const BUSY = 1;
const SHUT = 2;

/**
 * Says whether a thread is inside the model runtime, and can forbid it to enter again.
 *
 * A thread that is terminated inside the runtime takes the whole process with it: the runtime's binding cannot raise its error in a thread that
 * is going away and aborts (seen with onnxruntime-node 1.30 at every attempt, loading and running alike). So a thread enters through this gate,
 * and is terminated only when the gate is shut and the thread is outside.
 *
 * Two bits of one int32 in shared memory: 1 = the thread is inside, 2 = shut.
 */
export class NativeGate {
  private readonly cell: Int32Array;

  constructor(readonly shared: SharedArrayBuffer = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)) {
    this.cell = new Int32Array(shared);
  }

  /** For the thread: `false` when the gate is shut; then the thread must end. */
  enter(): boolean {
    return Atomics.compareExchange(this.cell, 0, 0, BUSY) === 0;
  }

  /** For the thread: it is outside again; `false` when the gate was shut meanwhile: then the thread must end. */
  leave(): boolean {
    const before = Atomics.and(this.cell, 0, ~BUSY);
    Atomics.notify(this.cell, 0);
    return (before & SHUT) === 0;
  }

  /** For the owner: lets the thread enter no more; returns whether it is inside now, where it must be left to come out. */
  shut(): boolean {
    return (Atomics.or(this.cell, 0, SHUT) & BUSY) !== 0;
  }

  /** For the owner, when the process ends and nothing can be awaited: blocks until the thread is outside. `false` when it stayed inside. */
  shutAndWait(timeoutMs: number): boolean {
    this.shut();
    return Atomics.wait(this.cell, 0, BUSY | SHUT, timeoutMs) !== 'timed-out';
  }
}
