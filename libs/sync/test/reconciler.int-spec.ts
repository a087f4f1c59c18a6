import type { PointPayload, VectorPoint } from '#vector-store';
import { Logger } from '@nestjs/common';
import type { Certificate, ReconcileOptions } from '../src/index.js';
import { CountingSource, describeCounts, pastTheTriggers } from './proof-fixture.js';
import { idOf, SyncHarness } from './sync-harness.js';

const ROWS = 250;

describe('Reconciler', () => {
  let harness: SyncHarness;

  beforeAll(async () => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    harness = await SyncHarness.create();
  });
  afterAll(() => harness.close());
  beforeEach(async () => {
    await harness.clear();
    harness.store.sliceScrolls(1);
    harness.source.templateRev = 't1';
    await harness.database.query('DELETE FROM index_certificates');
    await harness.database.query('DELETE FROM sync_leases');
    await harness.database.query(
      `INSERT INTO projects (id, name, description, complexity)
       SELECT ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'n', 'text ' || n, n % 5 + 1 FROM generate_series(1, ${ROWS}) n`,
    );
    await harness.drain(harness.newRelay());
  });

  const collection = () => harness.generation.collection;
  const run = (options: ReconcileOptions = {}): Promise<Certificate> => harness.reconciler.run(harness.generation, options);

  async function changed(n: number, payload: Partial<PointPayload> = {}, id = idOf(n)): Promise<VectorPoint> {
    const [point] = await harness.store.retrieve(collection(), [idOf(n)], { hasVectors: true });
    return { id, vector: point!.vector!, payload: { ...point!.payload, bucket: id.slice(-2), ...payload } as PointPayload };
  }

  /** As a restore of one table or a careless session would. */
  const behindTheLedger = (...statements: readonly string[]): Promise<void> => pastTheTriggers(harness, ...statements);

  async function expectHealed(): Promise<void> {
    await harness.drain(harness.newRelay());
    await harness.passTime();
    await harness.drain(harness.newRelay());
    await expect(run()).resolves.toMatchObject({ decision: 'clean' });
  }

  it('names the run of a server that may undo writes when it starts', async () => {
    await expect(run()).resolves.toMatchObject({ report: { store: { run: null } } });
    harness.store.unprovenRun = async () => 'second';
    await expect(run()).resolves.toMatchObject({ report: { store: { run: 'second' } } });
  });

  describe('what it compares', () => {
    it.each([1, 3])('certifies an index that agrees, read in %d slices', async (slices) => {
      harness.store.sliceScrolls(slices);
      const { report } = await run();
      expect(report).toMatchObject({
        format: 1,
        decision: 'clean',
        rows: ROWS,
        points: ROWS,
        verified: ROWS,
        in_flight: 0,
        dead: 0,
        resolved: 0,
        repaired: 0,
        sampled_vectors: 100,
        text_verified: true,
        up_to: null,
        reasons: [],
      });
      expect(report.digest.rows).toBe(report.digest.points);
      expect(Object.keys(report.digest.buckets!)).toHaveLength(250);
    });

    it.each([1, 3])('finds and repairs each kind, read in %d slices', async (slices) => {
      harness.store.sliceScrolls(slices);
      await harness.store.losePoints(collection(), [idOf(3), idOf(99)]);
      await harness.store.replacePoints(collection(), [
        await changed(7, { rev: 1 }),
        await changed(8, { text_hash: 'f'.repeat(64) }),
        await changed(9, { payload_hash: 'f'.repeat(64) }),
        await changed(10, { model_rev: 'another' }),
        await changed(11, { bucket: '00' }),
        await changed(1, {}, idOf(7_000)),
      ]);
      const certificate = await run();
      expect(certificate.decision).toBe('repaired');
      expect(describeCounts(certificate)).toEqual({ missing: 2, stale: 4, orphan: 1, foreign: 0, wrong_model: 1, vector: 0 });
      expect(certificate.report.differences.missing.examples).toEqual([idOf(3), idOf(99)]);
      expect(certificate.report).toMatchObject({ repaired: 8, verified: ROWS - 7 });
      expect(certificate.report.digest.rows).not.toBe(certificate.report.digest.points);
      await expectHealed();
    });

    it('recomputes the hashes from the rows: a write that the triggers did not see', async () => {
      await behindTheLedger(
        `UPDATE projects SET description = 'secretly' WHERE id = '${idOf(5)}'`,
        `UPDATE projects SET complexity = 4 WHERE id = '${idOf(6)}'`,
        `DELETE FROM projects WHERE id = '${idOf(7)}'`,
        `INSERT INTO projects (id, name, description) VALUES ('${idOf(9_000)}', 'n', 'unheard')`,
      );
      const certificate = await run();
      expect(describeCounts(certificate)).toMatchObject({ stale: 2, orphan: 1, missing: 1 });
      await expectHealed();
      await expect(harness.indexedText(idOf(5), ['secretly'])).resolves.toBe('secretly');
      await expect(harness.point(idOf(7))).resolves.toBeUndefined();
      await expect(harness.indexedText(idOf(9_000), ['unheard'])).resolves.toBe('unheard');
    });

    it('reads the fields of a point, not only the hash that it carries', async () => {
      await harness.store.replacePoints(collection(), [await changed(4, { complexity: 99 }), await changed(5, { stray: 'x' })]);
      const certificate = await run();
      expect(describeCounts(certificate)).toMatchObject({ stale: 2 });
      expect(certificate.report.digest.rows).not.toBe(certificate.report.digest.points);
      await expectHealed();
    });

    it('compares the vectors of a sample with the cache', async () => {
      const point = await changed(17);
      await harness.store.replacePoints(collection(), [{ ...point, vector: (await changed(18)).vector }]);
      const certificate = await run({ sampleSize: ROWS });
      expect(describeCounts(certificate)).toEqual({ missing: 0, stale: 0, orphan: 0, foreign: 0, wrong_model: 0, vector: 1 });
      expect(certificate.report).toMatchObject({ decision: 'repaired', sampled_vectors: ROWS, verified: ROWS - 1 });
      await harness.drain(harness.newRelay());
      await expect(run({ sampleSize: ROWS })).resolves.toMatchObject({ decision: 'clean' });
      expect((await changed(17)).vector).toEqual(point.vector);
    });

    it('says when texts cannot be verified, and compares them with the ledger', async () => {
      harness.source.templateRev = 't2';
      await harness.store.replacePoints(collection(), [await changed(8, { text_hash: 'f'.repeat(64) })]);
      const certificate = await run();
      expect(certificate.report).toMatchObject({ text_verified: false, decision: 'repaired' });
      expect(describeCounts(certificate)).toMatchObject({ stale: 1 });
    });

    it('counts what is in flight or dead, and does not judge it', async () => {
      await harness.put(idOf(1), 'changed');
      await harness.remove(idOf(2));
      await harness.store.losePoints(collection(), [idOf(1), idOf(3)]);
      await harness.database.query(`UPDATE index_ledger SET state = 'dead' WHERE source_id = $1`, [idOf(3)]);
      const certificate = await run();
      expect(certificate.report).toMatchObject({ decision: 'clean', in_flight: 2, tombstones: 0, dead: 1, verified: ROWS - 3 });
      await harness.drain(harness.newRelay());
      await expect(run()).resolves.toMatchObject({ report: { in_flight: 1, tombstones: 1 } });
    });

    it('does not miss rows of a generation that is still being filled', async () => {
      await harness.database.query('DELETE FROM index_ledger WHERE source_id = $1', [idOf(4)]);
      await harness.store.losePoints(collection(), [idOf(4)]);
      const setFilled = (value: string) => harness.database.query(`UPDATE index_generations SET filled_at = ${value}`);
      await setFilled('NULL');
      await expect(run({ isReadOnly: true })).resolves.toMatchObject({ decision: 'clean', report: { in_flight: 1 } });
      await setFilled('now()');
      await expect(run({ isReadOnly: true })).resolves.toMatchObject({ decision: 'differs' });
    });
  });

  describe('what it does not act on', () => {
    it('changes that land between the two looks', async () => {
      await harness.store.losePoints(collection(), [idOf(3), idOf(4)]);
      const lost = await changed(5);
      const point = { ...lost, id: idOf(3), payload: { ...lost.payload, bucket: '03' } };
      let looks = 0;
      const scroll = harness.store.scroll.bind(harness.store);
      const spy = jest.spyOn(harness.store, 'scroll').mockImplementation(async (...args) => {
        const page = await scroll(...args);
        // Behind the first look: the lost write is seen again, and the other row is written to.
        if (looks++ === 2) {
          await harness.put(idOf(4), 'newer');
          await harness.store.upsert(collection(), [
            { ...point, payload: { ...point.payload, rev: Number((await harness.entry(idOf(3)))!.indexed_version) } },
          ]);
        }
        return page;
      });
      const certificate = await run();
      spy.mockRestore();
      // The restored point has the content of another row, so it differs still, but in another way.
      expect(certificate.report.differences.missing.count).toBe(0);
      expect(certificate.report).toMatchObject({ in_flight: 1, resolved: 1 });
    });

    it('what differs at each look in another way, until it is right', async () => {
      const right = await changed(3);
      await harness.store.losePoints(collection(), [idOf(3)]);
      const retrieve = harness.store.retrieve.bind(harness.store);
      // Missing, then stale, then right: a server that comes to itself.
      const spy = jest
        .spyOn(harness.store, 'retrieve')
        .mockImplementationOnce(async (...args) => {
          await harness.store.replacePoints(collection(), [{ ...right, payload: { ...right.payload, rev: 1 } }]);
          return retrieve(...args);
        })
        .mockImplementationOnce(async (...args) => {
          await harness.store.replacePoints(collection(), [right]);
          return retrieve(...args);
        });
      await expect(run({ sampleSize: 0 })).resolves.toMatchObject({
        decision: 'clean',
        report: { repaired: 0, resolved: 1, verified: ROWS },
      });
      spy.mockRestore();
    });

    it('a row that was synced after the ledger was read (schedule 12)', async () => {
      const relay = harness.newRelay();
      const scroll = harness.store.scroll.bind(harness.store);
      const spy = jest.spyOn(harness.store, 'scroll').mockImplementationOnce(async (...args) => {
        await harness.put(idOf(3), 'B');
        await harness.drain(relay);
        return scroll(...args);
      });
      await expect(run()).resolves.toMatchObject({ decision: 'clean', report: { repaired: 0, resolved: 1 } });
      spy.mockRestore();
      const entry = await harness.entry(idOf(3));
      expect(entry).toMatchObject({ state: 'synced', indexed_version: entry!.version });
    });

    it('foreign points, unless forced, and numbers not even then', async () => {
      harness.store.plant(collection(), '17', {});
      harness.store.plant(collection(), idOf(8_000), { note: 'theirs' });
      const certificate = await run();
      expect(certificate.decision).toBe('differs');
      expect(certificate.report).toMatchObject({ repaired: 0, differences: { foreign: { count: 2, examples: ['17', idOf(8_000)] } } });
      const forced = await run({ isForced: true });
      expect(forced.report).toMatchObject({ decision: 'differs', repaired: 1 });
      await harness.drain(harness.newRelay());
      await expect(harness.point(idOf(8_000))).resolves.toBeUndefined();
      await expect(run()).resolves.toMatchObject({ report: { differences: { foreign: { count: 1 } }, tombstones: 1 } });
      await harness.store.drop(collection());
      await harness.attacher.attach(harness.generation, harness.source);
    });

    it('anything, when it is read-only', async () => {
      await harness.store.losePoints(collection(), [idOf(3)]);
      await expect(run({ isReadOnly: true })).resolves.toMatchObject({ decision: 'differs', report: { repaired: 0, is_read_only: true } });
      await expect(harness.entry(idOf(3))).resolves.toMatchObject({ state: 'synced' });
    });
  });

  describe('the delete guard (T25)', () => {
    const revs = async () => (await harness.database.query('SELECT source_id, version, state FROM index_ledger ORDER BY 1')).rows;

    it.each([
      ['an empty table', 'DELETE FROM projects', /source is empty/],
      ['60 % of the rows gone', `DELETE FROM projects WHERE id <= '${idOf(150)}'`, /150 of 250 points have no row/],
      ['table and ledger empty', 'DELETE FROM projects; DELETE FROM index_ledger', /source is empty/],
    ])('deletes nothing with %s, unless forced', async (_name, statements, reason) => {
      await behindTheLedger(...statements.split(';'));
      const before = await revs();
      const certificate = await run();
      expect(certificate.decision).toBe('refused');
      expect(certificate.report.reasons[0]).toMatch(reason);
      await expect(revs()).resolves.toEqual(before);
      await harness.drain(harness.newRelay());
      await expect(harness.store.count(collection())).resolves.toBe(ROWS);
      await expect(run({ isForced: true })).resolves.toMatchObject({ decision: 'repaired' });
      await expectHealed();
      await expect(harness.store.count(collection())).resolves.toBeLessThan(ROWS);
    });

    it('lets an ordinary number pass', async () => {
      await behindTheLedger(`DELETE FROM projects WHERE id <= '${idOf(50)}'`);
      await expect(run()).resolves.toMatchObject({ decision: 'repaired', report: { repaired: 50 } });
      await expectHealed();
    });

    it('touches nothing of the collection of another database', async () => {
      await harness.store.setMetadata(collection(), { database_id: 'another' });
      await harness.store.losePoints(collection(), [idOf(3)]);
      for (const options of [{}, { isForced: true }]) {
        const certificate = await run(options);
        expect(certificate.report).toMatchObject({ decision: 'refused', rows: 0, repaired: 0 });
        expect(certificate.report.reasons[0]).toMatch(/another database/);
      }
      await expect(harness.attacher.attach(harness.generation, harness.source)).rejects.toThrow(/another database/);
      await harness.store.setMetadata(collection(), { database_id: null });
      await harness.attacher.attach(harness.generation, harness.source);
      await expectHealed();
    });
  });

  describe('its bounds', () => {
    it('ends when its time is over, says how far it came, and goes on from there', async () => {
      await harness.store.losePoints(collection(), [idOf(3), idOf(240)]);
      const first = await run({ budgetMs: 0 });
      expect(first.report).toMatchObject({ decision: 'incomplete', up_to: idOf(100), rows: 100, repaired: 1 });
      const second = await run({ after: first.report.up_to! });
      expect(second.report).toMatchObject({ decision: 'incomplete', after: idOf(100), up_to: null, rows: 150, repaired: 1 });
      await expectHealed();
    });

    it('ends when it is called off', async () => {
      const controller = new AbortController();
      harness.source.beforeLoad = async () => controller.abort();
      const certificate = await run({ signal: controller.signal });
      harness.source.beforeLoad = () => Promise.resolve();
      expect(certificate.report).toMatchObject({ decision: 'incomplete', reasons: ['It was called off'] });
    });

    it('certifies its failure', async () => {
      harness.store.goAway();
      await expect(run()).resolves.toMatchObject({ decision: 'failed', report: { reasons: ['The double is away'] } });
      harness.store.recover();
      await expectHealed();
    });

    it('always advances, also over pages of what it cannot repair (F26)', async () => {
      for (let n = 0; n < 350; n++) harness.store.plant(collection(), idOf(20_000 + n), { note: 'theirs' });
      const certificate = await run();
      expect(certificate.report.differences.foreign).toMatchObject({ count: 350 });
      expect(certificate.report.differences.foreign.examples).toHaveLength(100);
      await harness.store.drop(collection());
      await harness.attacher.attach(harness.generation, harness.source);
    });

    it('does not go round for ever with a source that lists out of order', async () => {
      const listIds = jest.spyOn(harness.source, 'listIds').mockResolvedValue(Array.from({ length: 100 }, (_, n) => idOf(n + 1)));
      await expect(run()).resolves.toMatchObject({ decision: 'failed' });
      listIds.mockRestore();
    });

    it('reads a bounded number of rows at a time', async () => {
      const counting = new CountingSource(harness.source);
      await counting.during(() => run());
      expect(counting.largest).toBeLessThanOrEqual(100);
      expect(counting.total).toBe(ROWS);
    });
  });

  describe('one at a time', () => {
    it('refuses a second run, but for a read-only one', async () => {
      const lease = await harness.leases.acquire(`reconcile:${harness.generation.id}`);
      await expect(run()).rejects.toMatchObject({ code: 'sync.reconciliation-running' });
      await expect(run({ isReadOnly: true })).resolves.toMatchObject({ decision: 'clean' });
      await lease!.release();
      await expect(run()).resolves.toMatchObject({ decision: 'clean' });
    });

    it('lets a process that was frozen past its lease do nothing (T26)', async () => {
      await harness.store.losePoints(collection(), [idOf(3)]);
      const retrieve = harness.store.retrieve.bind(harness.store);
      const other: Certificate[] = [];
      // The process freezes before its second look; when it wakes, another one has repaired.
      const spy = jest.spyOn(harness.store, 'retrieve').mockImplementationOnce(async (...args) => {
        const points = await retrieve(...args);
        await harness.database.query(`UPDATE sync_leases SET lease_until = now() - interval '1 second'`);
        other.push(await harness.newReconciler().run(harness.generation));
        return points;
      });
      const frozen = await run();
      spy.mockRestore();
      expect(other[0]).toMatchObject({ decision: 'repaired', report: { repaired: 1 } });
      expect(frozen).toMatchObject({ decision: 'failed', report: { repaired: 0 } });
      expect(frozen.report.reasons[0]).toMatch(/lease .* has ended/);
      await expectHealed();
    });

    it('runs in the background, with its progress in the certificate', async () => {
      const { id } = await harness.reconciler.start(harness.generation);
      await expect(harness.certificates.get(id)).resolves.toMatchObject({ id, generationId: harness.generation.id });
      await harness.reconciler.stop();
      await expect(harness.certificates.get(id)).resolves.toMatchObject({ decision: expect.stringMatching(/clean|incomplete/) });
      Object.assign(harness, { reconciler: harness.newReconciler() });
    });
  });

  describe('certificates', () => {
    it('lists the newest first, in pages, without the digests of buckets', async () => {
      for (let n = 0; n < 3; n++) await run();
      const all = await harness.certificates.list({ generationId: harness.generation.id, limit: 10 });
      expect(all).toHaveLength(3);
      expect(all.map(({ startedAt }) => startedAt.getTime())).toEqual(
        all.map(({ startedAt }) => startedAt.getTime()).sort((a, b) => b - a),
      );
      expect(all[0]!.report.digest.buckets).toBeUndefined();
      await expect(harness.certificates.list({ source: 'projects', limit: 2, before: all[0]!.id })).resolves.toEqual(all.slice(1));
      await expect(harness.certificates.list({ source: 'others', limit: 2 })).resolves.toEqual([]);
      await expect(harness.certificates.latest(harness.generation.id)).resolves.toEqual(all[0]);
      await expect(harness.certificates.get('nonsense')).rejects.toMatchObject({ code: 'sync.certificate-not-found' });
    });

    it('shows one whose process died as failed, as soon as its lease is over', async () => {
      const { id } = await run();
      const lease = await harness.leases.acquire('reconcile:of-a-process-that-dies');
      await harness.database.query(
        `UPDATE index_certificates SET decision = 'running', finished_at = NULL, report = report || jsonb_build_object('decision', 'running', 'lease_token', $2::text) WHERE id = $1`,
        [id, lease!.token],
      );
      await expect(harness.certificates.get(id)).resolves.toMatchObject({ decision: 'running' });
      await lease!.release();
      const certificate = await harness.certificates.get(id);
      expect(certificate).toMatchObject({ decision: 'failed', report: { decision: 'failed' } });
      expect(JSON.stringify(certificate)).not.toContain('lease_token');
    });
  });

  it('alarms when points are newer than the database, and leaves the healing to whom it belongs', async () => {
    const alarmed: number[] = [];
    await harness.store.replacePoints(collection(), [await changed(2, { rev: 5_000_000_000 })]);
    const certificate = await harness.newReconciler({ onAhead: ({ id }) => alarmed.push(id) }).run(harness.generation);
    expect(certificate.report).toMatchObject({ decision: 'differs', repaired: 0 });
    expect(certificate.report.reasons[0]).toMatch(/restored from an older copy/);
    expect(alarmed).toEqual([harness.generation.id]);
  });
});
