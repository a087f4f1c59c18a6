import { Logger } from '@nestjs/common';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, open, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { VectorPoint } from '../vector-store.js';
import { LocalCollection } from './local-collection.js';
import { LocalEngine } from './local-engine.js';
import { LocalVectorStore } from './local-vector-store.js';
import { FORMAT_VERSION, MAGIC } from './snapshot-format.js';
import { DamagedSnapshotError, readSnapshot } from './snapshot-reader.js';
import { writeSnapshot } from './snapshot-writer.js';
import { VectorSegments } from './vector-segments.js';
import { searchWorkerUrl } from './search-worker-url.js';

const DIMENSIONS = 16;
const POINTS = 1300;
const NO_INTERVAL_MS = 3_600_000;

let folder: string;
const stores: LocalVectorStore[] = [];

beforeAll(() => Logger.overrideLogger(false));

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kindred-snapshots-'));
});

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close();
  await rm(folder, { recursive: true, force: true });
});

async function openStore(snapshotIntervalMs = NO_INTERVAL_MS): Promise<LocalVectorStore> {
  const store = new LocalVectorStore({ folder, snapshotIntervalMs });
  stores.push(store);
  await store.open();
  return store;
}

function pointOf(n: number, rev = 1): VectorPoint {
  const vector = new Float32Array(DIMENSIONS);
  vector[n % DIMENSIONS] = 1;
  const hex = n.toString(16).padStart(12, '0');
  const payload = {
    rev,
    text_hash: `t${n}`,
    payload_hash: `p${n}`,
    model_rev: 'm',
    bucket: hex.slice(-2),
    project_type: n % 2 === 0 ? 'kitchen' : null,
  };
  return { id: `00000000-0000-4000-8000-${hex}`, vector, payload };
}

async function fill(store: LocalVectorStore, name = 'c', points = POINTS): Promise<void> {
  await store.ensureIndex({
    name,
    dimensions: DIMENSIONS,
    payloadIndexes: [{ field: 'project_type', type: 'keyword' }],
    metadata: { model: 'm1' },
  });
  await store.upsert(
    name,
    Array.from({ length: points }, (_, n) => pointOf(n)),
  );
}

/** Fills a store, closes it, and returns the path of the snapshot. */
async function writeOne(): Promise<string> {
  const store = await openStore();
  await fill(store);
  await store.close();
  return join(folder, 'c.snapshot');
}

function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return state / 0x80000000;
  };
}

async function flipByte(path: string, position: number): Promise<void> {
  const file = await open(path, 'r+');
  const byte = Buffer.alloc(1);
  await file.read(byte, 0, 1, position);
  byte[0] = byte[0]! ^ 0x40;
  await file.write(byte, 0, 1, position);
  await file.close();
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe('snapshots of the local store', () => {
  it('bring back every point, payload, vector, index and metadata', async () => {
    const first = await openStore();
    await fill(first);
    await first.delete('c', [{ id: pointOf(7).id, rev: 9 }]);
    const before = await first.scroll('c', { limit: POINTS, hasVectors: true });
    await first.close();

    const second = await openStore();
    await expect(second.scroll('c', { limit: POINTS, hasVectors: true })).resolves.toEqual(before);
    await expect(second.info('c')).resolves.toMatchObject({ dimensions: DIMENSIONS, metadata: { model: 'm1' } });
    await expect(second.count('c', { kind: 'any', field: 'project_type', values: ['kitchen'] })).resolves.toBe(650);
    const hits = await second.query('c', { vector: pointOf(3).vector, limit: 2 });
    expect(hits.map(({ id }) => id)).toEqual([pointOf(3).id, pointOf(19).id]);
  });

  it('keep empty collections, and values that JSON cannot tell apart from absence', async () => {
    const first = await openStore();
    await first.ensureIndex({ name: 'empty', dimensions: 3, payloadIndexes: [], metadata: { a: 1 } });
    await fill(first, 'c', 3);
    await first.close();
    const second = await openStore();
    await expect(second.info('empty')).resolves.toMatchObject({ dimensions: 3, pointsCount: 0, metadata: { a: 1 } });
    const [stored] = await second.retrieve('c', [pointOf(1).id]);
    expect(stored!.payload).toEqual(pointOf(1).payload);
  });

  it('continue to be fenced after a restart', async () => {
    await writeOne();
    const store = await openStore();
    await store.upsert('c', [pointOf(0, 1), pointOf(1, 2)]);
    const stored = await store.retrieve('c', [pointOf(0).id, pointOf(1).id]);
    expect(stored.map(({ payload }) => payload.rev)).toEqual([1, 2]);
  });

  it('are written in the background when something has changed', async () => {
    const store = await openStore(20);
    await fill(store, 'c', 5);
    const path = join(folder, 'c.snapshot');
    await until(() => existsSync(path));
    const { mtimeMs } = await stat(path);
    await store.upsert('c', [pointOf(100)]);
    await until(async () => (await stat(path)).mtimeMs !== mtimeMs);
  });

  it('are not written again when nothing has changed', async () => {
    const path = await writeOne();
    const { mtimeMs } = await stat(path);
    const store = await openStore();
    await store.query('c', { vector: pointOf(0).vector, limit: 1 });
    await store.close();
    expect((await stat(path)).mtimeMs).toBe(mtimeMs);
  });

  it('go with their collection', async () => {
    await writeOne();
    const store = await openStore();
    const pending = store.snapshot('c');
    await store.drop('c');
    await pending;
    await store.close();
    expect(await readdir(folder)).toEqual([]);
  });

  it('are readable by their owner only', async () => {
    const path = await writeOne();
    expect((await stat(path)).mode & 0o077).toBe(0);
  });

  it.each([
    ['the newer copy first', [9, 1]],
    ['the older copy first', [1, 9]],
  ])('keep the higher rev of a point that is in the file twice: %s', async (_name, revs) => {
    // The writer leaves this behind when a point is deleted and written again while it works.
    const written = new LocalCollection('c', DIMENSIONS, 1000);
    const other = pointOf(4);
    written.table.append(other.id, other.vector, other.payload);
    revs.forEach((rev) => {
      const point = pointOf(3, rev);
      const row = written.table.length;
      written.table.appendIds([point.id]);
      written.table.replace(row, rev === 9 ? pointOf(5).vector : point.vector, point.payload);
    });
    await writeSnapshot(folder, written, () => true);

    const store = await openStore();
    const { points } = await store.scroll('c', { limit: 10, hasVectors: true });
    expect(points.map(({ id, payload }) => [id, payload.rev])).toEqual([
      [pointOf(3).id, 9],
      [other.id, 1],
    ]);
    expect(points[0]!.vector).toEqual(pointOf(5).vector);
    await store.delete('c', [{ id: pointOf(3).id, rev: 10 }]);
    await expect(store.count('c')).resolves.toBe(1);
  });

  it('hold every point that nobody touches, once, although points move while the file is written', async () => {
    const engine = new LocalEngine({ folder, exactLimit: 100_000 });
    await engine.load();
    engine.ensureIndex({ name: 'c', dimensions: DIMENSIONS, payloadIndexes: [], metadata: {} });
    const collection = engine.collection('c');
    const all = Array.from({ length: 6000 }, (_, n) => pointOf(n));
    collection.upsert({
      ids: all.map(({ id }) => id),
      payloads: all.map(({ payload }) => payload),
      vectors: Float32Array.from(all.flatMap(({ vector }) => [...vector])),
    });
    let isWritten = false;
    const writing = engine.snapshot(collection).finally(() => (isWritten = true));
    // Each removal moves the last row into the gap: from what is still to be written to what is written, or the other way.
    for (let n = 0; n < 2000 && !isWritten; n += 10) {
      collection.delete(Array.from({ length: 10 }, (_, i) => ({ id: pointOf(n + i).id, rev: 9 })));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await writing;
    const loaded = await readSnapshot(join(folder, 'c.snapshot'), 'c', 100_000);
    expect(loaded.table.idCount).toBe(loaded.table.length);
    expect(all.slice(2000).filter(({ id }) => loaded.table.rowOf(id) === undefined)).toEqual([]);
    // What was deleted meanwhile may be in the file, so it must be written again.
    expect(engine.isDirty(collection)).toBe(true);
    await engine.snapshot(collection);
    expect(engine.isDirty(collection)).toBe(false);
  });
});

describe('damaged snapshots', () => {
  /** Opens the store on what is in the folder, and expects it to know nothing of the collection and to work all the same. */
  async function expectSetAside(): Promise<void> {
    const store = await openStore();
    await expect(store.info('c')).resolves.toBeNull();
    expect(await readdir(folder)).toEqual(['c.snapshot.damaged']);
    await fill(store, 'c', 3);
    await expect(store.count('c')).resolves.toBe(3);
    await store.close();
    const again = await openStore();
    await expect(again.count('c')).resolves.toBe(3);
  }

  it('are recognised whichever byte is wrong (seed 20261121, 200 positions)', async () => {
    const path = await writeOne();
    const whole = await readFile(path);
    const random = seeded(20_261_121);
    for (let n = 0; n < 200; n++) {
      // The first and last positions hit the header, the end mark and the checksum; the rest is spread over the file.
      const position = n < 20 ? n * 3 : n < 40 ? whole.length - 1 - (n - 20) * 3 : Math.floor(random() * whole.length);
      await writeFile(path, whole);
      await flipByte(path, position);
      const outcome = await readSnapshot(path, 'c', 100).catch((error: unknown) => error);
      expect([position, outcome instanceof DamagedSnapshotError]).toEqual([position, true]);
    }
  });

  it('are recognised when they are cut off anywhere (seed 5, 40 lengths)', async () => {
    const path = await writeOne();
    const whole = await readFile(path);
    const random = seeded(5);
    for (const length of [0, 1, 31, 32, 33, ...Array.from({ length: 35 }, () => Math.floor(random() * whole.length))]) {
      await writeFile(path, whole.subarray(0, length));
      await expect(readSnapshot(path, 'c', 100)).rejects.toBeInstanceOf(DamagedSnapshotError);
    }
  });

  it('are set aside when bytes follow the end', async () => {
    const path = await writeOne();
    await writeFile(path, Buffer.concat([await readFile(path), Buffer.from('more')]));
    await expectSetAside();
  });

  it('are replaced by the next snapshot', async () => {
    await truncate(await writeOne(), 1000);
    await expectSetAside();
  });

  it('of another format version are set aside', async () => {
    const path = await writeOne();
    const bytes = await readFile(path);
    bytes.writeUInt32LE(FORMAT_VERSION + 1, MAGIC.length);
    await writeFile(path, bytes);
    await expectSetAside();
  });

  it('of another collection are set aside', async () => {
    const path = await writeOne();
    await copyFile(path, join(folder, 'd.snapshot'));
    const store = await openStore();
    await expect(store.info('c')).resolves.not.toBeNull();
    await expect(store.info('d')).resolves.toBeNull();
  });

  it('do not stop the others from being loaded', async () => {
    const store = await openStore();
    await fill(store, 'c', 10);
    await fill(store, 'd', 20);
    await store.close();
    await flipByte(join(folder, 'c.snapshot'), 200);
    const second = await openStore();
    await expect(second.info('c')).resolves.toBeNull();
    await expect(second.count('d')).resolves.toBe(20);
  });

  it('cannot make the reader allocate more than the file holds', async () => {
    const path = await writeOne();
    const whole = await readFile(path);
    const block = whole.indexOf(Buffer.from('BLCK'));
    const allocated = jest.spyOn(Buffer, 'allocUnsafe');
    const grown = jest.spyOn(VectorSegments.prototype, 'resize');
    // The two lengths of a block: its rows, and the bytes of its payloads.
    for (const [offset, value] of [
      [4, 60_000],
      [8, 0xfffffff0],
    ] as const) {
      const damaged = Buffer.from(whole);
      damaged.writeUInt32LE(value, block + offset);
      await writeFile(path, damaged);
      await expect(readSnapshot(path, 'c', 100)).rejects.toBeInstanceOf(DamagedSnapshotError);
    }
    expect(Math.max(...allocated.mock.calls.map(([size]) => size))).toBeLessThan(whole.length);
    expect(grown).not.toHaveBeenCalled();
    allocated.mockRestore();
    grown.mockRestore();
  });

  it('cannot claim more vectors than the file holds', async () => {
    // A block of ids and payloads without vectors, as a cut in the right place would leave it.
    const path = await writeOne();
    const whole = await readFile(path);
    const vectorBytes = POINTS * DIMENSIONS * 4;
    await writeFile(path, whole.subarray(0, whole.length - Math.floor(vectorBytes / 8)));
    await expect(readSnapshot(path, 'c', 100)).rejects.toThrow('a block is cut off');
  });

  it('leave no trace of a file that was never finished', async () => {
    const path = await writeOne();
    await writeFile(`${path}.tmp`, 'half');
    const store = await openStore();
    await expect(store.count('c')).resolves.toBe(POINTS);
    expect(await readdir(folder)).toEqual(['c.snapshot']);
  });

  it('may be old: what is loaded is what was written then', async () => {
    const path = await writeOne();
    await copyFile(path, `${path}.old`);
    const store = await openStore();
    await store.upsert('c', [pointOf(0, 5)]);
    await store.delete('c', [{ id: pointOf(1).id, rev: 9 }]);
    await store.close();
    await copyFile(`${path}.old`, path);
    const older = await openStore();
    const stored = await older.retrieve('c', [pointOf(0).id, pointOf(1).id]);
    expect(stored.map(({ payload }) => payload.rev)).toEqual([1, 1]);
  });
});

describe('aliases of the local store', () => {
  it('are on disk when the call resolves', async () => {
    const store = await openStore();
    await fill(store, 'c', 1);
    await store.snapshot('c');
    await store.setAlias('a', 'c');
    // No orderly end: another store reads what is on disk at this moment.
    const copy = join(folder, 'copy');
    await mkdir(copy);
    for (const file of ['aliases.json', 'c.snapshot']) await copyFile(join(folder, file), join(copy, file));
    const other = new LocalVectorStore({ folder: copy });
    stores.push(other);
    await other.open();
    await expect(other.getAlias('a')).resolves.toBe('c');
  });

  it('are forgotten when their file is damaged', async () => {
    const store = await openStore();
    await fill(store, 'c', 1);
    await store.setAlias('a', 'c');
    await store.close();
    const path = join(folder, 'aliases.json');
    await writeFile(path, (await readFile(path, 'utf8')).replace('"a"', '"b"'));
    const second = await openStore();
    await expect(second.getAlias('a')).resolves.toBeNull();
    await expect(second.getAlias('b')).resolves.toBeNull();
    await second.setAlias('a', 'c');
    await expect(second.getAlias('a')).resolves.toBe('c');
  });

  it('do not name a collection that the crash has taken', async () => {
    const store = await openStore();
    await fill(store, 'c', 1);
    await store.setAlias('a', 'c');
    await store.close();
    await rm(join(folder, 'c.snapshot'));
    const second = await openStore();
    await expect(second.getAlias('a')).resolves.toBeNull();
  });
});

describe('a disk that fails', () => {
  it.each([
    ['the file cannot be created', (path: string) => mkdir(path)],
    ['the disk is full', (path: string) => symlink('/dev/full', path)],
  ])('rejects the snapshot, keeps the old file and goes on: %s', async (_name, obstruct) => {
    const path = await writeOne();
    const before = await readFile(path);
    const store = await openStore();
    await store.upsert('c', [pointOf(5000)]);
    await obstruct(`${path}.tmp`);
    await expect(store.snapshot('c')).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(store.count('c')).resolves.toBe(POINTS + 1);
    expect(before.equals(await readFile(path))).toBe(true);
    await rm(`${path}.tmp`, { recursive: true, force: true });
    await store.close();
    const second = await openStore();
    await expect(second.count('c')).resolves.toBe(POINTS + 1);
  });

  it('does not keep the store from closing', async () => {
    const store = await openStore();
    await fill(store, 'c', 3);
    await mkdir(join(folder, 'c.snapshot.tmp'));
    await store.close();
    expect(existsSync(join(folder, 'c.snapshot'))).toBe(false);
  });

  it('is reported by open() when the folder cannot be used', async () => {
    await writeFile(join(folder, 'file'), '');
    const store = new LocalVectorStore({ folder: join(folder, 'file', 'index') });
    await expect(store.open()).rejects.toMatchObject({ kind: 'unavailable' });
    await expect(store.count('c')).rejects.toMatchObject({ kind: 'unavailable' });
    await rm(join(folder, 'file'));
    await store.open();
    await expect(store.info('c')).resolves.toBeNull();
    await store.close();
  });
});

describe('a process that is killed while it writes a snapshot', () => {
  const SEED = 9;
  const KILLS = 6;

  it(`leaves a whole snapshot of a whole round (seed ${SEED}, ${KILLS} kills)`, async () => {
    const random = seeded(SEED);
    const script = fileURLToPath(new URL('../../test/local/kill-target.mjs', import.meta.url));
    const moduleUrl = new URL('./local-vector-store.js', searchWorkerUrl()).href;
    for (let kill = 0; kill < KILLS; kill++) {
      const child = spawn(process.execPath, [script, moduleUrl, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      const rounds = 2 + Math.floor(random() * 3);
      await until(() => {
        if (child.exitCode !== null) throw new Error(`The process ended by itself with code ${child.exitCode}: is the build complete?`);
        return output.includes(`writing ${rounds}\n`);
      });
      // The moment within the snapshot differs from run to run; whatever it is, the file must be whole.
      await new Promise((resolve) => setTimeout(resolve, random() * 8));
      child.kill('SIGKILL');
      await once(child, 'exit');
      const acknowledged = Number(/written (\d+)\n(?![\s\S]*written)/.exec(output)?.[1] ?? 0);

      const store = await openStore();
      const { points } = await store.scroll('c', { limit: 5000 });
      const revs = [...new Set(points.map(({ payload }) => payload.rev))];
      expect(points).toHaveLength(3000);
      expect(revs).toHaveLength(1);
      expect(revs[0]).toBeGreaterThanOrEqual(acknowledged);
      await store.close();
      await rm(folder, { recursive: true });
      await mkdir(folder);
    }
  });
});
