import { HookedVectorStore, waitFor } from '#testing';
import { GenerationBench } from './generation-bench.js';
import { idOf } from './sync-harness.js';

/** What operators do with generations, from the first row to the last. */
describe('generations', () => {
  let bench: GenerationBench;

  beforeEach(async () => {
    bench = await GenerationBench.create();
    for (let n = 1; n <= 25; n++) await bench.harness.put(idOf(n), `oak stair number ${n} with ${n % 2 === 0 ? 'handrail' : 'lamp'}`);
    await bench.built(bench.harness.generation.id);
  });
  afterEach(() => bench.close());

  const counted = async (name: string): Promise<number> => (await bench.harness.database.query(`SELECT 1 FROM ${name}`)).rowCount;

  it('re-index with the same settings: built beside, switched, the old one stands by, and nothing is embedded again', async () => {
    const { harness, manager } = bench;
    harness.embedder.resetCalls();
    const created = await manager.create('projects', {}, 'a colleague asked for it');
    expect(created).toMatchObject({
      state: 'building',
      filledAt: null,
      reason: 'a colleague asked for it',
      modelRev: harness.embedder.modelRev,
    });
    expect(created.collection).toMatch(new RegExp(`^test_projects_g${created.id}_[0-9a-f]{6}$`));
    await bench.built(created.id);
    expect(harness.embedder.calls.documents).toBe(0);
    await expect(bench.differences(created)).resolves.toEqual([]);
    await expect(manager.switchTo(created.id)).resolves.toMatchObject({ state: 'serving', servingSince: expect.any(Date) });
    await expect(manager.get(harness.generation.id)).resolves.toMatchObject({ state: 'standby', standbySince: expect.any(Date) });
    await expect(bench.directory().serving('projects')).resolves.toMatchObject({
      generationId: created.id,
      collection: created.collection,
    });
    await expect(harness.store.getAlias('test_projects')).resolves.toBe(created.collection);
    await harness.put(idOf(26), 'written afterwards');
    await bench.built(created.id);
    await expect(bench.differences(await bench.built(harness.generation.id))).resolves.toEqual([]);
    await expect(bench.differences(created)).resolves.toEqual([]);
  });

  it('changed template: every row is rendered and hashed with the new one', async () => {
    const { harness, manager } = bench;
    harness.source.templateRev = 't2';
    const created = await manager.create('projects');
    expect(created).toMatchObject({ templateRev: 't2', modelRev: harness.embedder.modelRev });
    await bench.built(created.id);
    await expect(bench.differences(created)).resolves.toEqual([]);
    await expect(manager.switchTo(created.id)).resolves.toMatchObject({ state: 'serving' });
    const back = await manager.rollback();
    expect(back).toMatchObject({ id: harness.generation.id, templateRev: 't1', state: 'serving' });
    // Its rows cannot be compared any more; that is why going back needs no gate.
    await expect(manager.gate(harness.generation.id)).resolves.toMatchObject({ passed: false });
  });

  it('changed model of another dimension: collection, model and queries change together', async () => {
    const { harness, manager } = bench;
    harness.embedders.addModel('wide', { dimensions: 96 });
    const created = await manager.create('projects', { model: 'wide', document_prefix: 'passage: ' });
    expect(created).toMatchObject({ dimensions: 96, embedder: { model: 'wide', document_prefix: 'passage: ', max_tokens: 256 } });
    await bench.built(created.id);
    const before = await bench.directory().serving('projects');
    expect(before.embedder.dimensions).toBe(64);
    await manager.switchTo(created.id);
    const after = await bench.directory().serving('projects');
    expect(after).toMatchObject({ collection: created.collection, modelLabel: 'wide:fp32' });
    const { vector } = await after.embedder.embedQuery('stair');
    await expect(harness.store.query(after.collection, { vector, limit: 3 })).resolves.toHaveLength(3);
    expect((await harness.store.info(created.collection))!.dimensions).toBe(96);
  });

  it('one generation of a source is built at a time; the second operator is told which', async () => {
    const { harness, manager } = bench;
    const attempts = await Promise.allSettled(Array.from({ length: 8 }, () => manager.create('projects')));
    expect(attempts.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const attempt of attempts) {
      if (attempt.status === 'rejected') expect(attempt.reason).toMatchObject({ code: 'generations.conflict' });
    }
    const building = (await manager.list()).find(({ state }) => state === 'building')!;
    await expect(manager.create('projects')).rejects.toMatchObject({
      detail: expect.stringContaining(`Generation ${building.id} of projects`),
    });
    await manager.retire(building.id);
    await expect(manager.create('projects')).resolves.toMatchObject({ state: 'building' });
    await expect(counted(`index_generations WHERE state = 'building'`)).resolves.toBe(1);
    expect(harness.generation.id).toBeLessThan(building.id);
  });

  it('refuses what it does not know: a source, a generation, a model', async () => {
    const { manager } = bench;
    await expect(manager.create('unheard')).rejects.toMatchObject({ code: 'generations.not-found' });
    await expect(manager.plan('unheard')).rejects.toMatchObject({ code: 'generations.not-found' });
    await expect(manager.create('projects', { model: 'unheard' })).rejects.toMatchObject({ code: 'generations.model-unusable' });
    for (const max_tokens of [0, 7, 8.5, -1, Number.NaN]) {
      await expect(manager.create('projects', { max_tokens })).rejects.toMatchObject({ code: 'request.invalid' });
    }
    for (const call of [
      manager.get(99),
      manager.progress(99),
      manager.gate(99),
      manager.switchTo(99),
      manager.rollback(99),
      manager.retire(99),
    ]) {
      await expect(call).rejects.toMatchObject({ code: 'generations.not-found' });
    }
    await expect(counted('index_generations')).resolves.toBe(1);
  });

  it('creates none on a model that does not work here: it would be stuck with it', async () => {
    const { harness, manager } = bench;
    harness.embedders.addModel('broken', { dimensions: 96 });
    harness.embedders.refuseModel('broken');
    await expect(manager.create('projects', { model: 'broken' })).rejects.toMatchObject({ code: 'generations.model-unusable' });
    await expect(counted('index_generations')).resolves.toBe(1);
  });

  it('does not create one before the source has one that serves', async () => {
    const { harness, manager } = bench;
    await harness.database.query(`UPDATE index_generations SET state = 'retired'`);
    await expect(manager.create('projects')).rejects.toMatchObject({ code: 'search.not-ready' });
  });

  it('rolls back once, to the one that served before; going forward again has to be said', async () => {
    const { harness, manager } = bench;
    const first = harness.generation.id;
    await expect(manager.rollback()).rejects.toMatchObject({ code: 'generations.conflict' });
    const second = (await manager.create('projects')).id;
    await expect(manager.rollback(second)).rejects.toMatchObject({
      code: 'generations.conflict',
      detail: expect.stringContaining('never served'),
    });
    await bench.built(second);
    await manager.switchTo(second);
    await harness.put(idOf(1), 'written after the switch');
    await expect(manager.rollback({ source: 'unheard' })).rejects.toMatchObject({ code: 'generations.conflict' });
    await expect(manager.rollback({ source: 'projects' })).resolves.toMatchObject({ id: first, state: 'serving' });
    await bench.built(first);
    await expect(bench.differences(await manager.get(first))).resolves.toEqual([]);
    // A second operator who does not know of the first one's rollback must not undo it.
    await expect(manager.rollback()).rejects.toMatchObject({ code: 'generations.conflict' });
    await expect(manager.rollback(first)).rejects.toMatchObject({
      code: 'generations.conflict',
      detail: expect.stringContaining('serves already'),
    });
    await expect(manager.rollback(second)).resolves.toMatchObject({ id: second, state: 'serving' });
  });

  it('does not roll back to one that is being healed, or whose collection is gone; but also while the index is away', async () => {
    const { harness, manager } = bench;
    const first = harness.generation;
    const second = (await manager.create('projects')).id;
    await bench.built(second);
    await manager.switchTo(second);
    await harness.database.query(`UPDATE index_generations SET paused_at = now(), pause_reason = 'restored' WHERE id = $1`, [first.id]);
    const refused = { code: 'generations.gate-refused' };
    await expect(manager.rollback()).rejects.toMatchObject({ ...refused, detail: expect.stringContaining('restored') });
    await harness.database.query('UPDATE index_generations SET paused_at = NULL WHERE id = $1', [first.id]);
    const info = jest.spyOn(harness.store, 'info').mockResolvedValue(null);
    await expect(manager.rollback()).rejects.toMatchObject({ ...refused, detail: expect.stringContaining('is gone') });
    info.mockRejectedValue(new Error('away'));
    await expect(manager.rollback()).resolves.toMatchObject({ id: first.id, state: 'serving' });
    info.mockRestore();
  });

  it('retired is final: no switch, no rollback, no gate, no second retirement; the serving one cannot be retired', async () => {
    const { harness, manager } = bench;
    const next = (await manager.create('projects')).id;
    await bench.built(next);
    await manager.switchTo(next);
    await expect(manager.retire(next)).rejects.toMatchObject({
      code: 'generations.conflict',
      detail: expect.stringContaining('is serving'),
    });
    await expect(manager.retire(harness.generation.id)).resolves.toMatchObject({ state: 'retired', retiredAt: expect.any(Date) });
    const { id } = harness.generation;
    for (const call of [manager.switchTo(id), manager.rollback(id), manager.gate(id), manager.retire(id)]) {
      await expect(call).rejects.toMatchObject({ code: 'generations.retired', detail: expect.stringContaining('final') });
    }
    await expect(manager.rollback()).rejects.toMatchObject({ code: 'generations.conflict' });
    expect((await manager.list()).map((generation) => generation.id)).toEqual([next]);
    expect((await manager.list({ includeRetired: true })).map((generation) => generation.id)).toEqual([id, next]);
    await harness.put(idOf(1), 'not for the retired one');
    await bench.built(next);
    await expect(harness.entry(idOf(1), id)).resolves.toMatchObject({ state: 'synced' });
  });

  it('says how far it is, and how fast', async () => {
    const { harness, manager } = bench;
    harness.store.failWrites(({ collection }) => (collection === harness.generation.collection ? null : new Error('not yet')));
    const { id } = await manager.create('projects');
    await waitFor(async () => (await manager.progress(id)).isFilled, { what: 'the fill' });
    await expect(manager.progress(id)).resolves.toMatchObject({ entries: { pending: 25, synced: 0 }, ratePerSecond: 0, etaSeconds: null });
    harness.store.failWrites(null);
    await waitFor(
      async () => {
        await harness.passTime();
        return (await manager.progress(id)).entries.pending === 0;
      },
      { what: 'the entries' },
    );
    const done = await manager.progress(id);
    expect(done).toMatchObject({ isFilled: true, entries: { pending: 0, synced: 25, dead: 0, tombstone: 0 }, etaSeconds: 0 });
    expect(done.ratePerSecond).toBeGreaterThan(0);
  });

  it('plans without changing anything: rows, what the cache has, tokens, minutes', async () => {
    const { harness, manager } = bench;
    const before = await counted('embedding_cache');
    await expect(manager.plan('projects')).resolves.toMatchObject({
      collectionPrefix: 'test_projects_g',
      rows: 25,
      cachedRows: 25,
      rowsToEmbed: 0,
      tokensToEmbed: 0,
      modelRev: harness.embedder.modelRev,
    });
    harness.embedders.addModel('wide', { dimensions: 96 });
    const plan = await manager.plan('projects', { model: 'wide' });
    // Six words and two markers each.
    expect(plan).toMatchObject({ rows: 25, cachedRows: 0, rowsToEmbed: 25, tokensToEmbed: 25 * 8, sample: { rows: 25, tokens: 25 * 8 } });
    expect(plan.expectedMinutes).toBeGreaterThan(0);
    expect(plan.basis).toContain('measured on all 25 rows');
    harness.source.templateRev = 't2';
    await expect(manager.plan('projects')).resolves.toMatchObject({ cachedRows: 0, templateRev: 't2' });
    await expect(counted('embedding_cache')).resolves.toBe(before);
    await expect(counted('index_generations')).resolves.toBe(1);
    // The model was loaded for the answer only.
    const wide = harness.embedders.get(plan.embedder);
    expect(wide.calls).toMatchObject({ ready: 0, documents: 0 });
  });

  it('frees a model when the last generation that had it is gone', async () => {
    const store = new HookedVectorStore('qdrant');
    await bench.close();
    bench = await GenerationBench.create({ store, graceMs: 0 });
    const { harness, manager } = bench;
    harness.embedders.addModel('wide', { dimensions: 96 });
    const created = await manager.create('projects', { model: 'wide' });
    const wide = harness.embedders.get(created.embedder);
    await bench.built(created.id);
    await manager.retire(created.id);
    await waitFor(async () => (await manager.get(created.id)).droppedAt !== null, { what: 'the removal' });
    await waitFor(() => wide.calls.close === 1, { what: 'the model to be closed' });
    expect(harness.embedder.calls.close).toBe(0);
  });
});
