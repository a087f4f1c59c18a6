import pg from 'pg';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import usearch from 'usearch';
import { feedsOf, type TokenIds } from './bare-session.js';
import { Durations, timed } from './statistics.js';
import type { InferenceSession } from 'onnxruntime-node';

/** Adds one duration per text: a bare session run, inputs made beforehand. */
export async function measureSession(session: InferenceSession, texts: readonly TokenIds[], into: Durations): Promise<void> {
  for (const inputs of texts.map(feedsOf)) into.add(await timed(() => session.run(inputs)));
}

/** Adds one duration per query: an exact scan of all vectors by the same library that Kindred uses, one thread. */
export async function measureExactSearch(
  vectors: Float32Array,
  dimensions: number,
  queries: readonly Float32Array[],
  topK: number,
  into: Durations,
): Promise<void> {
  for (const query of queries) into.add(await timed(() => usearch.exactSearch(vectors, query, dimensions, topK, usearch.MetricKind.IP, 1)));
}

/** Texts per second of one bare session per core, each in a thread of its own, all running at once. */
export async function measureParallelSessions(modelFolder: string, texts: readonly TokenIds[]): Promise<number> {
  const threads = availableParallelism();
  const shares = Array.from({ length: threads }, (_, index) => texts.filter((_text, i) => i % threads === index));
  const workers = shares.map(
    (share) => new Worker(new URL('./bare-session-worker.js', import.meta.url), { workerData: { modelFolder, texts: share } }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  const durationMs = await timed(() =>
    Promise.all(
      workers.map(async (worker) => {
        const done = once(worker, 'message');
        worker.postMessage('go');
        await done;
      }),
    ),
  );
  await Promise.all(workers.map((worker) => worker.terminate()));
  return texts.length / (durationMs / 1000);
}

/** Adds one duration per run: the first page of projects from `pg` and its JSON, nothing else. */
export async function measureBareList(databaseUrl: string, runs: number, into: Durations): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    for (let run = 0; run < runs; run++) {
      into.add(
        await timed(async () => {
          const { rows } = await client.query('SELECT * FROM projects ORDER BY created_at DESC, id DESC LIMIT 20');
          return JSON.stringify({ items: rows, next_cursor: null });
        }),
      );
    }
  } finally {
    await client.end();
  }
}

/** All vectors of the index, as one block. */
export async function readVectors(databaseUrl: string): Promise<Float32Array> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ vector: Buffer }>('SELECT c.vector FROM embedding_cache c');
    const bytes = Buffer.concat(rows.map(({ vector }) => vector));
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  } finally {
    await client.end();
  }
}
