import { Worker } from 'node:worker_threads';
import { builtThreadFile } from '../bundled-files.js';
import { NativeGate } from './native-gate.js';
import type { EmbedMessage, ThreadSettings, WorkerSettings } from './worker-protocol.js';
import type { WorkerThread } from './worker-slot.js';

/** Longest run of a text takes a tenth of a second, loading a model a second; a thread that is inside for longer is not coming out. */
const EXIT_WAIT_MS = 5_000;

/** Gates of the threads that live; the process must not end while one of them is inside the runtime. */
const openGates = new Set<NativeGate>();
let isExitWatched = false;

function watchExit(): void {
  if (isExitWatched) return;
  isExitWatched = true;
  process.on('exit', () => {
    for (const gate of openGates) gate.shut();
    for (const gate of openGates) gate.shutAndWait(EXIT_WAIT_MS);
  });
}

/**
 * One real embedding thread; unlike a bare Worker it can be terminated at any time, because that waits until the thread has left the model
 * runtime (see {@link NativeGate}). The same holds when the process exits.
 */
export class EmbeddingThread extends Worker implements WorkerThread {
  private readonly gate: NativeGate;
  private readonly ended: Promise<number>;

  constructor(settings: ThreadSettings) {
    const gate = new NativeGate();
    const workerData: WorkerSettings = { ...settings, gate: gate.shared };
    super(builtThreadFile('embedding-worker'), { workerData, name: 'embedding' });
    this.gate = gate;
    openGates.add(gate);
    watchExit();
    this.ended = new Promise((resolve) => {
      this.once('exit', (exitCode) => {
        openGates.delete(gate);
        resolve(exitCode);
      });
    });
  }

  override postMessage(message: EmbedMessage): void {
    super.postMessage(message);
  }

  /** Ends the thread: at once when it is outside the runtime, else after the text or the load it is busy with. Resolves when it has ended. */
  override async terminate(): Promise<number> {
    const isInside = this.gate.shut();
    // A thread that comes out and finds the gate shut ends by itself.
    if (!isInside) await super.terminate();
    return this.ended;
  }
}
