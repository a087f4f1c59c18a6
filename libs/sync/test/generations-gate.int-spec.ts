import { waitFor } from '#testing';
import { markGeneration } from '../src/generations/mark-generation.js';
import { GenerationProof, type GateReport, type IndexGeneration, type ProofResult } from '../src/index.js';
import { GenerationBench } from './generation-bench.js';
import { idOf } from './sync-harness.js';

const ROWS = 25;

/** The proof of the service, counted, and held while a test wants it. */
class CountedProof extends GenerationProof {
  runs = 0;
  beforeEach: () => Promise<void> = () => Promise.resolve();
  afterEach: () => void = () => undefined;
  inner!: GenerationProof;

  async prove(generation: IndexGeneration, signal: AbortSignal): Promise<ProofResult> {
    this.runs++;
    await this.beforeEach();
    signal.throwIfAborted();
    const result = await this.inner.prove(generation, signal);
    this.afterEach();
    return result;
  }
}

describe('gate of a generation', () => {
  let bench: GenerationBench;
  let proof: CountedProof;
  let next: IndexGeneration;

  beforeEach(async () => {
    proof = new CountedProof();
    bench = await GenerationBench.create({ gate: { drainWaitMs: 300, proof } });
    proof.inner = bench.harness.proof();
    for (let n = 1; n <= ROWS; n++) await bench.harness.put(idOf(n), `row ${n} about ${n % 3 === 0 ? 'stairs' : 'roofs'}`, 1 + (n % 5));
    await bench.built(bench.harness.generation.id);
    next = await bench.manager.create('projects');
    await bench.built(next.id);
  });
  afterEach(() => bench.close());

  const codes = ({ reasons }: GateReport): string[] => reasons.map(({ code }) => code);
  const sql = (statement: string, parameters: unknown[] = []) => bench.harness.database.query(statement, parameters);
  const refusal = (detail: RegExp) => ({ code: 'generations.gate-refused', detail: expect.stringMatching(detail) });

  it('passes what is whole, with the evidence, and stores the report', async () => {
    const report = await bench.manager.gate(next.id);
    expect(report).toMatchObject({
      status: 'passed',
      passed: true,
      reasons: [],
      is_forced: false,
      sample: { rows: ROWS, mismatches: [] },
      overlap_at_10: 1,
      rank_shift: 0,
      comparison: { serving_generation: bench.harness.generation.id, queries: ROWS },
      dead: 0,
      pending_before: 0,
    });
    expect(report.sample!.lowest_cosine).toBeGreaterThanOrEqual(1 - 1e-5);
    expect(report.began_at <= report.checked_at!).toBe(true);
    expect((await bench.manager.get(next.id)).gateReport).toEqual(report);
    await expect(bench.harness.certificates.get(report.certificate_id!)).resolves.toMatchObject({
      decision: 'clean',
      generationId: next.id,
    });
  });

  it('takes what a service gives for the same text another time, as long as it is as alike as that service says', async () => {
    bench.harness.embedder.waver(0.999);
    expect(codes(await bench.manager.gate(next.id))).toEqual([]);
    jest.spyOn(bench.harness.embedder, 'repeatCosine', 'get').mockReturnValue(1);
    const report = await bench.manager.gate(next.id);
    expect(codes(report)).toEqual(['sample']);
    expect(report.sample!.lowest_cosine).toBeGreaterThanOrEqual(0.999);
  });

  it('embeds the sample again: a wrong vector in both cache and index is found', async () => {
    const point = (await bench.points(next.collection)).find(({ id }) => id === idOf(3))!;
    const vector = new Float32Array(64);
    vector[0] = 1;
    await bench.harness.store.replacePoints(next.collection, [{ ...point, vector }]);
    await sql(`UPDATE embedding_cache SET vector = $1 WHERE text_hash = decode($2, 'hex')`, [
      Buffer.from(vector.buffer),
      point.payload.text_hash,
    ]);
    const report = await bench.manager.gate(next.id);
    expect(codes(report)).toEqual(['sample']);
    expect(report.sample!.mismatches).toEqual([{ id: idOf(3), difference: expect.stringMatching(/cosine/) }]);
  });

  it('compares answers: another model gives others, and the report says how far they are apart', async () => {
    await bench.manager.retire(next.id);
    bench.harness.embedders.addModel('narrow', { dimensions: 3 });
    const narrow = await bench.manager.create('projects', { model: 'narrow' });
    await bench.built(narrow.id);
    const report = await bench.manager.gate(narrow.id);
    expect(report.passed).toBe(true);
    expect(report.overlap_at_10).toBeLessThan(1);
    expect(report.rank_shift).toBeGreaterThan(0);
  });

  it('has nothing to compare the first generation with', async () => {
    await expect(bench.manager.gate(bench.harness.generation.id)).resolves.toMatchObject({
      passed: true,
      comparison: null,
      overlap_at_10: null,
      rank_shift: null,
    });
  });

  describe('refuses', () => {
    it('not-filled', async () => {
      await sql('UPDATE index_generations SET filled_at = NULL WHERE id = $1', [next.id]);
      bench.harness.source.listIds = () => Promise.reject(new Error('the source is away'));
      await expect(bench.manager.gate(next.id)).resolves.toMatchObject({ passed: false, status: 'refused' });
      expect(codes((await bench.manager.get(next.id)).gateReport!)).toContain('not-filled');
    });

    it('paused', async () => {
      await sql(`UPDATE index_generations SET paused_at = now(), pause_reason = 'restored' WHERE id = $1`, [next.id]);
      expect(codes(await bench.manager.gate(next.id))).toEqual(['paused']);
    });

    it('pending, after it has waited; a change after it began does not count', async () => {
      bench.harness.store.failWrites(({ collection, ids }) =>
        collection === next.collection && ids.includes(idOf(1)) ? new Error('not this one') : null,
      );
      await bench.harness.put(idOf(1), 'a change from before');
      const report = await bench.manager.gate(next.id);
      expect(codes(report)).toEqual(['pending']);
      expect(report.pending_before).toBe(1);
      bench.harness.store.failWrites(null);
      await bench.harness.passTime();
      await bench.built(next.id);
      proof.beforeEach = async () => {
        bench.harness.store.failWrites(() => new Error('nobody'));
        await bench.harness.put(idOf(2), 'a change from afterwards');
      };
      await expect(bench.manager.gate(next.id)).resolves.toMatchObject({ passed: true, pending_before: 0 });
    });

    it('dead, unless it is forced', async () => {
      await sql(`UPDATE index_ledger SET state = 'dead' WHERE generation_id = $1 AND source_id = $2`, [next.id, idOf(1)]);
      const report = await bench.manager.gate(next.id);
      expect(codes(report)).toEqual(['dead']);
      expect(report.dead).toBe(1);
      await expect(bench.manager.gate(next.id, { isForced: true })).resolves.toMatchObject({ passed: true, is_forced: true, dead: 1 });
      await expect(bench.manager.switchTo(next.id)).rejects.toMatchObject(refusal(/dead: 1/));
      await expect(bench.manager.switchTo(next.id, { isForced: true })).resolves.toMatchObject({ state: 'serving' });
    });

    it('certificate and sample: a point is missing', async () => {
      await bench.harness.store.losePoints(next.collection, [idOf(7)]);
      const report = await bench.manager.gate(next.id);
      expect(codes(report)).toEqual(['certificate', 'sample']);
      expect(report.reasons[0]!.detail).toContain('1 missing');
      expect(report.sample!.mismatches).toEqual([{ id: idOf(7), difference: 'it is missing' }]);
      // It has only looked.
      await expect(bench.harness.entry(idOf(7), next.id)).resolves.toMatchObject({ state: 'synced' });
    });

    it('certificate: a point without a row, which no sample of rows can find', async () => {
      const [point] = await bench.points(next.collection);
      await bench.harness.store.upsert(next.collection, [{ ...point!, id: idOf(99), vector: new Float32Array(64).fill(1 / 8) }]);
      expect(codes(await bench.manager.gate(next.id))).toEqual(['certificate']);
    });

    it('sample: another model, other text, other filter fields', async () => {
      const points = (await bench.harness.store.retrieve(next.collection, [1, 2, 3].map(idOf), { hasVectors: true })).sort((a, b) =>
        a.id < b.id ? -1 : 1,
      );
      const changes = [{ model_rev: 'another' }, { text_hash: 'ff' }, { payload_hash: 'ff' }];
      await bench.harness.store.replacePoints(
        next.collection,
        points.map((point, n) => ({ id: point.id, vector: point.vector!, payload: { ...point.payload, ...changes[n] } })),
      );
      const report = await bench.manager.gate(next.id);
      expect(codes(report)).toEqual(['certificate', 'sample']);
      expect(Object.fromEntries(report.sample!.mismatches.map(({ id, difference }) => [id, difference]))).toEqual({
        [idOf(1)]: 'its model is another',
        [idOf(2)]: 'its text is not that of the row',
        [idOf(3)]: 'its filter fields are not those of the row',
      });
    });

    it('template: the source renders otherwise by now', async () => {
      bench.harness.source.templateRev = 't9';
      expect(codes(await bench.manager.gate(next.id))).toContain('template');
    });

    it('unreadable: the model or the index does not answer; and names all reasons, not only the first', async () => {
      bench.harness.embedder.failAlways(new Error('no model'));
      expect(codes(await bench.manager.gate(next.id))).toEqual(['unreadable']);
      bench.harness.embedder.recover();
      await sql(`UPDATE index_ledger SET state = 'dead' WHERE generation_id = $1 AND source_id = $2`, [next.id, idOf(1)]);
      bench.harness.store.goAway();
      const report = await bench.manager.gate(next.id);
      expect(new Set(codes(report))).toEqual(new Set(['certificate', 'unreadable', 'dead']));
      await expect(bench.manager.switchTo(next.id)).rejects.toMatchObject(refusal(/unreadable.*dead/s));
      bench.harness.store.recover();
    });
  });

  it('a row that changes while it looks is no mismatch', async () => {
    const { harness } = bench;
    let looks = 0;
    // After the certificate, which reads points with vectors, too.
    let isProven = false;
    proof.afterEach = () => void (isProven = true);
    const retrieve = harness.store.retrieve.bind(harness.store);
    harness.store.retrieve = async (...args) => {
      const points = await retrieve(...args);
      if (isProven && args[2]?.hasVectors === true && ++looks === 1) {
        await harness.put(idOf(4), 'changed between the row and the point');
        await bench.built(next.id);
        return retrieve(...args);
      }
      return points;
    };
    const report = await bench.manager.gate(next.id);
    expect(report.reasons).toEqual([]);
    expect(looks).toBe(2);
  });

  describe('report', () => {
    it('shows that it runs, keeps a second one out, and then what came of it', async () => {
      const held = Promise.withResolvers<void>();
      proof.beforeEach = () => held.promise;
      await expect(bench.manager.startGate(next.id)).resolves.toMatchObject({ status: 'running', passed: false, checked_at: null });
      expect((await bench.manager.get(next.id)).gateReport).toMatchObject({ status: 'running' });
      await expect(bench.manager.gate(next.id)).rejects.toMatchObject({ code: 'generations.conflict' });
      await expect(bench.manager.switchTo(next.id)).rejects.toMatchObject({ code: 'generations.conflict' });
      held.resolve();
      await waitFor(async () => (await bench.manager.get(next.id)).gateReport?.status === 'passed', { what: 'the gate' });
    });

    it('of a process that died says so, and another gate may run', async () => {
      const [{ gate_report }] = (await sql(`SELECT '{"status": "running"}'::jsonb AS gate_report`)).rows as [{ gate_report: unknown }];
      await sql('UPDATE index_generations SET gate_report = $2::jsonb WHERE id = $1', [next.id, JSON.stringify(gate_report)]);
      await waitFor(async () => (await bench.manager.get(next.id)).gateReport?.status === 'failed', { what: 'the end of the report' });
      await expect(bench.manager.gate(next.id)).resolves.toMatchObject({ passed: true });
    });

    it('is cut off by a stop, and says that it failed', async () => {
      const held = Promise.withResolvers<void>();
      proof.beforeEach = () => held.promise;
      await bench.manager.startGate(next.id);
      const stopped = bench.manager.stop();
      held.resolve();
      await stopped;
      expect((await bench.manager.get(next.id)).gateReport).toMatchObject({ status: 'failed', passed: false });
    });

    it('allows a switch for 15 minutes, without another gate', async () => {
      await bench.manager.gate(next.id);
      await bench.manager.switchTo(next.id);
      expect(proof.runs).toBe(1);
    });

    it('does not allow one afterwards: the gate runs again', async () => {
      await bench.manager.gate(next.id);
      await sql(
        `UPDATE index_generations SET gate_report = gate_report || jsonb_build_object('checked_at', now() - interval '15 minutes 1 second') WHERE id = $1`,
        [next.id],
      );
      await bench.manager.switchTo(next.id);
      expect(proof.runs).toBe(2);
    });

    it('is void once the entries of the generation are marked: its index was lost', async () => {
      await bench.manager.gate(next.id);
      bench.harness.store.failWrites(() => new Error('not now'));
      await markGeneration(bench.harness.database.relayUnitOfWork, next.id);
      expect((await bench.manager.get(next.id)).gateReport).toBeNull();
      await expect(bench.manager.switchTo(next.id)).rejects.toMatchObject(refusal(/pending: 25/));
    });
  });

  describe('what changes between gate and switch is seen in the transaction of the switch', () => {
    beforeEach(async () => {
      await bench.manager.gate(next.id);
    });
    afterEach(async () => {
      await expect(bench.manager.get(bench.harness.generation.id)).resolves.toMatchObject({ state: 'serving' });
      expect(proof.runs).toBe(1);
    });

    it('a change from before the gate that was committed after it', async () => {
      await sql(
        `UPDATE index_ledger SET state = 'pending', changed_at = now() - interval '1 hour', next_attempt_at = now() + interval '1 hour' WHERE generation_id = $1 AND source_id = $2`,
        [next.id, idOf(1)],
      );
      await expect(bench.manager.switchTo(next.id)).rejects.toMatchObject(refusal(/pending: 1/));
    });

    it('an entry that has died', async () => {
      await sql(`UPDATE index_ledger SET state = 'dead' WHERE generation_id = $1 AND source_id = $2`, [next.id, idOf(1)]);
      await expect(bench.manager.switchTo(next.id)).rejects.toMatchObject(refusal(/dead: 1/));
    });

    it('a pause', async () => {
      await sql('UPDATE index_generations SET paused_at = now() WHERE id = $1', [next.id]);
      await expect(bench.manager.switchTo(next.id)).rejects.toMatchObject(refusal(/paused/));
    });

    it('a collection that is gone', async () => {
      await bench.harness.store.drop(next.collection);
      await expect(bench.manager.switchTo(next.id)).rejects.toMatchObject(refusal(/gone/));
    });

    it('an index that is away: the switch cannot be judged', async () => {
      bench.harness.store.goAway();
      await expect(bench.manager.switchTo(next.id)).rejects.toMatchObject({ code: 'search.index-unavailable' });
      bench.harness.store.recover();
    });
  });
});
