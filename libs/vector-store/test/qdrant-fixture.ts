import { QdrantDouble } from '#testing';
import { QdrantVectorStore, type QdrantVectorStoreOptions, type VectorPoint } from '#vector-store';

export const COLLECTION = 'faults';
export const UPSERT = /^PUT .*\/points\?/;
export const QUERY = /\/points\/query/;
export const AXIS = Float32Array.of(1, 0, 0, 0);

export const idOf = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;

export function pointOf(n: number, rev = 1, note = ''): VectorPoint {
  return {
    id: idOf(n),
    vector: AXIS,
    payload: { rev, text_hash: 'a', payload_hash: 'b', model_rev: 'c', bucket: idOf(n).slice(-2), note },
  };
}

/** A store on a double of Qdrant, with one collection that holds point 1 at rev 5. */
export class QdrantFixture {
  readonly double = new QdrantDouble();
  store!: QdrantVectorStore;

  async start(): Promise<void> {
    await this.double.start();
    this.store = this.connect();
    await this.store.ensureIndex({
      name: COLLECTION,
      dimensions: 4,
      payloadIndexes: [{ field: 'note', type: 'keyword' }],
      metadata: {},
    });
    await this.store.upsert(COLLECTION, [pointOf(1, 5)]);
    this.double.requests.length = 0;
  }

  async stop(): Promise<void> {
    await this.store.close();
    await this.double.stop();
  }

  connect(overrides: Partial<QdrantVectorStoreOptions> = {}): QdrantVectorStore {
    return new QdrantVectorStore({ url: this.double.url, apiKey: null, searchTimeoutMs: 5_000, writeTimeoutMs: 30_000, ...overrides });
  }

  requestsTo(line: RegExp): number {
    return this.double.requests.filter((request) => line.test(request.line)).length;
  }

  search(timeoutMs?: number, signal?: AbortSignal): Promise<unknown> {
    return this.store.query(COLLECTION, { vector: AXIS, limit: 3 }, { timeoutMs, signal });
  }
}

/** Waits for a condition, not for a time. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 1_000; attempt++) {
    if (await condition()) return;
    await new Promise((resolve) => setImmediate(resolve));
  }
  throw new Error('The condition did not come true');
}
