import { basename } from 'node:path';
import { parentPort, workerData, type TransferListItem } from 'node:worker_threads';
import { VectorStoreError } from '../vector-store-error.js';
import { GraphBuilder } from './graph-builder.js';
import { LocalEngine } from './local-engine.js';
import { snapshotPath } from './snapshot-format.js';
import { SnapshotSchedule } from './snapshot-schedule.js';
import type { WorkerFailure, WorkerOperation, WorkerOperations, WorkerReply, WorkerRequest, WorkerSettings } from './worker-messages.js';

/* Entry of the search thread: it alone holds vectors, ids and payloads, and answers one message after the other. */

const port = parentPort!;
// The store passes exactly this; the type of workerData is lost on the way.
const settings = workerData as WorkerSettings;
const engine = new LocalEngine(settings);
const graphs = new GraphBuilder(() => engine.all());
const snapshots = new SnapshotSchedule(engine, settings.snapshotIntervalMs, (collection, error) =>
  send({ event: 'snapshot-failed', collection, message: messageOf(error) }),
);

type Handlers = {
  readonly [Operation in WorkerOperation]: (
    args: WorkerOperations[Operation]['args'],
  ) => WorkerOperations[Operation]['result'] | Promise<WorkerOperations[Operation]['result']>;
};

const handlers: Handlers = {
  load: async () => {
    const report = await engine.load();
    snapshots.start();
    graphs.wake();
    return report;
  },
  ping: () => ({ collectionsCount: engine.size }),
  listCollections: () => Array.from(engine.all(), ({ name }) => name),
  ensureIndex: (spec) => engine.ensureIndex(spec),
  upsert: ({ collection, points }) => {
    engine.collection(collection).upsert(points);
    graphs.wake();
    return null;
  },
  delete: ({ collection, deletes }) => {
    engine.collection(collection).delete(deletes);
    graphs.wake();
    return null;
  },
  query: ({ collection, queries }) => {
    const target = engine.collection(collection);
    return queries.map((query) => target.query(query));
  },
  recommend: ({ collection, query }) => engine.collection(collection).recommend(query),
  scroll: ({ collection, request }) => {
    const target = engine.collection(collection);
    const { rows, next, hasVectors } = target.scroll(request);
    return { points: target.pack(rows, hasVectors), next };
  },
  retrieve: ({ collection, ids, hasVectors }) => {
    const target = engine.collection(collection);
    return target.pack(target.rowsOf(ids), hasVectors);
  },
  count: ({ collection, filter }) => engine.collection(collection).count(filter),
  countByBucket: ({ collection }) => engine.collection(collection).countByBucket(),
  info: ({ collection }) => engine.find(collection)?.info() ?? null,
  setMetadata: ({ collection, metadata }) => {
    engine.collection(collection).setMetadata(metadata);
    return null;
  },
  setAlias: ({ alias, collection }) => {
    engine.setAlias(alias, collection);
    return null;
  },
  getAlias: ({ alias }) => engine.getAlias(alias),
  snapshot: async ({ collection }) => {
    await engine.snapshot(engine.collection(collection));
    return basename(snapshotPath(settings.folder, collection));
  },
  drop: ({ collection }) => engine.drop(collection),
  close: async () => {
    graphs.stop();
    snapshots.stop();
    try {
      await snapshots.writeDirty();
    } finally {
      // Behind the answer. Without its port nothing keeps the thread, and it ends by itself, outside of native code.
      setImmediate(() => port.close());
    }
    return null;
  },
};

port.on('message', (request: WorkerRequest) => {
  const { id } = request;
  try {
    const answer = handle(request);
    // An answer at once costs no turn of the event loop: that is most of a query's way.
    if (answer instanceof Promise) answer.then(reply(id), fail(id));
    else reply(id)(answer);
  } catch (error) {
    fail(id)(error);
  }
});

function handle<Operation extends WorkerOperation>({ operation, args }: WorkerRequest<Operation>) {
  return handlers[operation](args);
}

function reply(id: number): (result: unknown) => void {
  return (result) => send({ id, result });
}

function fail(id: number): (error: unknown) => void {
  return (error) => send({ id, failure: failureOf(error) });
}

function failureOf(error: unknown): WorkerFailure {
  if (error instanceof VectorStoreError) return { kind: error.kind, message: error.message };
  return { kind: 'unavailable', message: messageOf(error) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function send(message: WorkerReply, transfer: readonly TransferListItem[] = []): void {
  port.postMessage(message, transfer);
}
