import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { NativeGate } from './native-gate.js';
import type { SentenceEncoder } from './sentence-encoder.js';
import { yieldToShortWork } from './thread-priority.js';
import { WorkerLanes } from './worker-lanes.js';
import type { EmbedMessage, WorkerMessage, WorkerSettings } from './worker-protocol.js';

// Entry of an embedding thread: loads the model, warms it, then embeds one text after the other. Whatever is thrown outside of a text ends
// the thread; the pool replaces it.

/** Lengths of the warm-up texts in words: the first runs grow the runtime's arena, a short and a full one leave nothing to grow. */
const WARM_UP_WORDS = [8, 512];

const port = parentPort;
if (port === null) throw new Error('This file is the entry of a worker thread');
yieldToShortWork();
const settings = workerData as WorkerSettings;
const gate = new NativeGate(settings.gate);
const lanes = new WorkerLanes(settings.workerNumber);
let isRunning = false;

const send = (message: WorkerMessage, transfer: ArrayBuffer[] = []): void => port.postMessage(message, transfer);

/** Never throws: what goes wrong with a text is an answer. */
async function embed(encoder: SentenceEncoder, { id, text }: EmbedMessage): Promise<void> {
  const startedMs = performance.now();
  try {
    const { vector, tokens, isTruncated } = await encoder.encode(text);
    const runMs = performance.now() - startedMs;
    send({ type: 'embedded', id, vector, tokens, isTruncated, runMs }, [vector.buffer as ArrayBuffer]);
  } catch (error) {
    send({ type: 'failed', id, reason: error instanceof Error ? error.message : String(error) });
  }
}

/** Embeds until nothing waits; `false` when the gate was shut. */
async function drain(encoder: SentenceEncoder): Promise<boolean> {
  for (;;) {
    // Without this a query that arrived during the last run would be seen only after the document that waited before it.
    for (let received = receiveMessageOnPort(port!); received !== undefined; received = receiveMessageOnPort(port!)) {
      lanes.push(received.message as EmbedMessage);
    }
    const message = lanes.next();
    if (message === null) return true;
    if (!gate.enter()) return false;
    await embed(encoder, message);
    if (!gate.leave()) return false;
  }
}

async function pump(encoder: SentenceEncoder): Promise<void> {
  if (isRunning) return;
  isRunning = true;
  // Without its port the thread has nothing to wait for, and ends.
  if (!(await drain(encoder))) port!.close();
  isRunning = false;
}

/** Call only inside the gate. */
async function load(): Promise<SentenceEncoder> {
  // Not imported at the top: that loads the runtime's native library, and a thread that is ended meanwhile aborts the process just as well.
  const { SentenceEncoder } = await import('./sentence-encoder.js');
  const encoder = await SentenceEncoder.load(settings);
  for (const words of WARM_UP_WORDS) await encoder.encode('warm '.repeat(words));
  return encoder;
}

async function main(): Promise<void> {
  if (!gate.enter()) return;
  let encoder: SentenceEncoder;
  let isWanted = false;
  try {
    encoder = await load();
  } finally {
    isWanted = gate.leave();
  }
  if (!isWanted) return;
  port!.on('message', (message: EmbedMessage) => {
    lanes.push(message);
    void pump(encoder);
  });
  send({ type: 'ready' });
}

// A rejection here ends the thread with an `error` event, which is what the pool listens for.
void main();
