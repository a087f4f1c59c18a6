// Writes points and snapshots for ever, until the test kills it. Arguments: module of the store, folder.
import process from 'node:process';

const [, , moduleUrl, folder] = process.argv;
const { LocalVectorStore } = await import(moduleUrl);
const store = new LocalVectorStore({ folder, snapshotIntervalMs: 3_600_000 });
await store.open();
await store.ensureIndex({ name: 'c', dimensions: 64, payloadIndexes: [], metadata: {} });

const vector = new Float32Array(64);
vector[0] = 1;
const idOf = (n) => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;

for (let round = 1; ; round++) {
  // Every point of a round carries its number, so that the test can tell a mixture from a whole round.
  const payload = { rev: round, text_hash: 'a', payload_hash: 'b', model_rev: 'c', bucket: '00' };
  const points = Array.from({ length: 3_000 }, (_, n) => ({ id: idOf(n), vector, payload }));
  await store.upsert('c', points);
  process.stdout.write(`writing ${round}\n`);
  await store.snapshot('c');
  process.stdout.write(`written ${round}\n`);
}
