import { parentPort, workerData } from 'node:worker_threads';
import { TextTokenizer, type TokenizerFiles } from './text-tokenizer.js';
import { yieldToShortWork } from './thread-priority.js';
import type { CountMessage, CountReply } from './token-counter.js';

// Entry of a token-counting thread: loads a tokenizer and counts what it is sent, in order. Whatever is thrown ends the thread; the counter says so to
// those who wait and starts another one when it is needed.

const port = parentPort;
if (port === null) throw new Error('This file is the entry of a worker thread');
yieldToShortWork();
const loading = TextTokenizer.load(workerData as TokenizerFiles);

async function answer({ id, texts }: CountMessage): Promise<void> {
  const tokenizer = await loading;
  const reply: CountReply = { id, counts: texts.map((text) => tokenizer.idsOf(text).length) };
  port!.postMessage(reply);
}

// A rejection here ends the thread with an `error` event, which is what the counter listens for.
port.on('message', (message: CountMessage) => void answer(message));
