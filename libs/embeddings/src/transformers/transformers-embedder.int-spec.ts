import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { promisify } from 'node:util';
import { Logger } from '@nestjs/common';
import { describeEmbedderContract, waitFor } from '#testing';
import type { Embedding } from '../embedder.js';
import { ModelFolder } from '../models/model-folder.js';
import { packageRoot } from '#config';
import { bundledModelsFolder } from '../bundled-files.js';
import { EmbeddingThread } from './embedding-thread.js';
import { TransformersEmbedder } from './transformers-embedder.js';
import type { ThreadSettings } from './worker-protocol.js';

const MODEL = 'all-MiniLM-L6-v2';

/** An embedder on the bundled model, and the real threads it starts. */
function make(workers: number, documentPrefix = '') {
  const threads: EmbeddingThread[] = [];
  const folder = new ModelFolder(join(bundledModelsFolder(), MODEL));
  const embedder = new TransformersEmbedder({
    descriptor: folder.descriptorOf({ max_tokens: 256, query_prefix: '', document_prefix: documentPrefix }, folder.listedRevision!),
    folder,
    workers,
    startThread: (settings: ThreadSettings) => {
      const thread = new EmbeddingThread(settings);
      threads.push(thread);
      return thread;
    },
  });
  return { embedder, threads };
}

const bytesOf = ({ vector }: Embedding) => Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength).toString('hex');
const cosine = (a: Embedding, b: Embedding) => a.vector.reduce((sum, component, i) => sum + component * b.vector[i]!, 0);
/** Texts of very different lengths: with batches they would change each other's vectors. */
const mixedTexts = (count: number) =>
  Array.from({ length: count }, (_, i) => `project ${i}: ${'oak stair with a steel handrail and '.repeat(i % 15)}oil`);
const longTexts = (count: number) =>
  Array.from({ length: count }, (_, i) => `project ${i}: ${'oak stair with a steel handrail and '.repeat(16)}oil`);

describeEmbedderContract('TransformersEmbedder', { make: () => Promise.resolve(make(2).embedder) });

describe('TransformersEmbedder on the bundled model', () => {
  const { embedder } = make(2);

  beforeAll(async () => embedder.ready());
  afterAll(async () => embedder.close());

  it('gives the similarity that the model card promises', async () => {
    const [a, b] = await embedder.embedDocuments(['modern kitchen design', 'Contemporary kitchen with oak finishes']);
    expect(Math.abs(cosine(a!, b!) - 0.651)).toBeLessThanOrEqual(0.005);
  });

  it('gives the vectors that transformers.js itself gives', async () => {
    const texts = ['oak', 'Treppe aus Eiche, geölt – 14 Stufen', 'naïve 屋根 [MASK] façade', 'A timber frame house. '.repeat(40)];
    const script = join(packageRoot(), 'libs', 'embeddings', 'test', 'pipeline-vectors.mjs');
    const { stdout } = await promisify(execFile)(process.execPath, [script, bundledModelsFolder(), MODEL, ...texts], {
      maxBuffer: 1 << 24,
    });
    const expected = JSON.parse(stdout) as number[][];
    const embeddings = await embedder.embedDocuments(texts);
    for (const [i, { vector }] of embeddings.entries()) {
      const differences = expected[i]!.map((component, d) => Math.abs(component - vector[d]!));
      expect(Math.max(...differences)).toBeLessThan(1e-6);
    }
  });

  it('gives a text the same vector alone, in any job, as a query, and in another thread of another embedder, bit for bit', async () => {
    const texts = mixedTexts(40);
    const together = (await embedder.embedDocuments(texts)).map(bytesOf);
    const reversed = (await embedder.embedDocuments([...texts].reverse())).map(bytesOf).reverse();
    expect(reversed).toEqual(together);
    const other = make(1).embedder;
    try {
      for (const [i, text] of texts.entries()) {
        const [alone] = await other.embedDocuments([text]);
        expect(bytesOf(alone!)).toBe(together[i]);
        expect(bytesOf(await embedder.embedQuery(text))).toBe(together[i]);
      }
    } finally {
      await other.close();
    }
  });

  it('counts tokens with their markers and keeps the end marker of a text that is cut', async () => {
    const [empty, oak, whole, cut] = await embedder.embedDocuments(['', 'oak', 'oak '.repeat(254), 'oak '.repeat(255)]);
    expect([empty, oak, whole, cut].map((embedding) => [embedding!.tokens, embedding!.isTruncated])).toEqual([
      [2, false],
      [3, false],
      [256, false],
      [256, true],
    ]);
    // Begin marker, 254 words, end marker: exactly what the shorter text is.
    expect(bytesOf(cut!)).toBe(bytesOf(whole!));
  });

  it('counts the tokens of long texts without stopping the event loop, and those of the prefix with them', async () => {
    const text = 'Die Treppe aus Eiche, geölt, mit Handlauf und 14 Stufen. '.repeat(1_000);
    await embedder.countTokens(['']);
    const before = performance.eventLoopUtilization();
    const counts = await embedder.countTokens(Array.from({ length: 8 }, () => text));
    // In this thread the loop would be busy all the time.
    expect(performance.eventLoopUtilization(before).utilization).toBeLessThan(0.5);
    expect(new Set(counts)).toEqual(new Set([19_002]));
    const prefixed = make(1, 'passage: ').embedder;
    try {
      await expect(prefixed.countTokens(['', 'oak'])).resolves.toEqual([4, 5]);
    } finally {
      await prefixed.close();
    }
  });

  it('answers a query within the document that is being embedded', async () => {
    // The query is sent when a document has just ended: the thread has begun the next one and holds another. Without the look into the mailbox
    // before each text, the query would come after both. The median forgives the moments in which the machine has no time for this thread.
    const single = make(1).embedder;
    await single.ready();
    const overtakenBy: number[] = [];
    try {
      for (let trial = 0; trial < 9; trial++) {
        const rest = longTexts(4).map((text) => single.embedDocuments([`${trial} ${text}`]));
        await rest[0];
        const before = single.stats().documents.embedded;
        await single.embedQuery(`query ${trial}`);
        overtakenBy.push(single.stats().documents.embedded - before);
        await Promise.all(rest);
      }
    } finally {
      await single.close();
    }
    expect(overtakenBy.sort((a, b) => a - b)[4]).toBeLessThanOrEqual(1);
  });

  it('remembers queries and runs equal ones once', async () => {
    const before = embedder.stats();
    await Promise.all([embedder.embedQuery('a query asked twice'), embedder.embedQuery('a query asked twice')]);
    await embedder.embedQuery('a query asked twice');
    const after = embedder.stats();
    expect(after.queries.embedded - before.queries.embedded).toBe(1);
    expect(after.cache.joined - before.cache.joined).toBe(1);
    expect(after.cache.hits - before.cache.hits).toBe(1);
    expect(after.queries.runs.sumMs).toBeGreaterThan(before.queries.runs.sumMs);
  });
});

describe('TransformersEmbedder when a thread dies', () => {
  beforeAll(() => Logger.overrideLogger(false));
  afterAll(() => Logger.overrideLogger(['error', 'warn', 'log']));

  it.each([
    ['is terminated', (thread: EmbeddingThread) => void thread.terminate()],
    // The entry file reads the lane of every message: null throws outside of any text, as a defect of our own would.
    ['throws', (thread: EmbeddingThread) => thread.postMessage(null as never)],
  ])('embeds everything all the same when one of two %s', async (_, kill) => {
    const { embedder, threads } = make(2);
    const texts = longTexts(16);
    try {
      await embedder.ready();
      const expected = (await embedder.embedDocuments(texts)).map(bytesOf);
      const embedding = embedder.embedDocuments(texts);
      await waitFor(() => embedder.stats().documents.running === 2, { what: 'both threads embed', intervalMs: 1 });
      kill(threads[0]!);
      expect((await embedding).map(bytesOf)).toEqual(expected);
      await waitFor(() => embedder.stats().workers.ready === 2, { what: 'the dead thread is replaced' });
      expect(embedder.stats()).toMatchObject({ workers: { restarts: 1 }, documents: { failed: 0 } });
    } finally {
      await embedder.close();
    }
    expect(threads).toHaveLength(3);
  });
});

describe('TransformersEmbedder when the process ends', () => {
  const run = (script: string, ...parameters: string[]) =>
    promisify(execFile)(process.execPath, [join(packageRoot(), 'libs', 'embeddings', 'test', script), ...parameters]);

  // execFile rejects on another exit code than 0, and on a signal.
  it.each([
    ['were just started', ['loading', '0']],
    ['are loading', ['loading', '150']],
    ['are running', ['running']],
  ])('does not abort while threads %s', async (_, parameters) => {
    await expect(run('exit-while-embedding.mjs', ...parameters)).resolves.toMatchObject({ stderr: '' });
  });

  it('has loaded nothing of the runtime that the gate does not know of', async () => {
    await expect(run('thread-before-its-gate.mjs')).resolves.toEqual({ stdout: '[]\n', stderr: '' });
  });
});
