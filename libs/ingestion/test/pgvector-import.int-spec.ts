import { COLLECTION, MAPPING, PgvectorBench, rowId, vectorText } from './pgvector-bench.js';

describe('the import of a pgvector table', () => {
  let bench: PgvectorBench;

  beforeEach(async () => {
    bench = await PgvectorBench.create();
  });
  afterEach(() => bench.close());

  const allIds = (count: number) => Array.from({ length: count }, (_, index) => rowId(index + 1));

  it('keeps the vectors: the relay embeds nothing, and the points have them', async () => {
    await bench.putRows(250);
    const before = await bench.sourceState();
    const result = await bench.run();
    expect(result).toMatchObject({ total: 250, read: 250, inserted: 250, refused: 0, isInterrupted: false });
    expect(result.vectors).toMatchObject({ kept: 250, keptOfOtherText: 0 });
    await bench.settle();
    expect(bench.embedder.calls.documents).toBe(0);
    const [generation] = await bench.catalog.list();
    expect((await bench.store.info(generation!.collection))!.pointsCount).toBe(250);
    const report = await bench.verify(0);
    expect(report).toMatchObject({ source_rows: 250, documents: 250, missing: 0, is_passed: true, sample: { compared: 20, below: [] } });
    expect(report.sample!.lowest_cosine).toBeGreaterThanOrEqual(0.9999);
    expect(report.embedded_anew!.cosine).toBeGreaterThan(0.999);
    expect(await bench.sourceState()).toEqual(before);
    const { rows } = await bench.target.query(
      'SELECT title, kind, metadata, c.name FROM documents d JOIN collections c ON c.id = d.collection_id LIMIT 1',
    );
    expect(rows).toEqual([{ title: '', kind: 'product', metadata: { schema: 'shop' }, name: COLLECTION }]);
  });

  it('without a declared model keeps nothing, and the relay embeds all', async () => {
    await bench.putRows(10);
    await expect(bench.run({ keepsVectors: false })).resolves.toMatchObject({ inserted: 10, vectors: { kept: 0 } });
    await bench.settle();
    expect(bench.embedder.calls.documents).toBe(10);
  });

  it('writes nothing the second time, and keeps the vectors of documents that are there already', async () => {
    await bench.putRows(30);
    await bench.run({ keepsVectors: false });
    const state = async () => (await bench.target.query('SELECT id, xmin::text FROM documents ORDER BY id')).rows;
    const before = await state();
    await expect(bench.run()).resolves.toMatchObject({ inserted: 0, updated: 0, unchanged: 30, vectors: { kept: 30 } });
    await expect(bench.run()).resolves.toMatchObject({ unchanged: 30, vectors: { kept: 30 } });
    expect(await state()).toEqual(before);
    await bench.settle();
    expect(bench.embedder.calls.documents).toBe(0);
  });

  it('a dry run says what would be, and changes nothing on either side', async () => {
    await bench.putRows(12);
    await bench.run();
    await bench.foreign.query(`UPDATE dq_embeddings SET content = 'another text' WHERE id = $1`, [rowId(1)]);
    await bench.foreign.query(`UPDATE dq_embeddings SET embedding = '[1,2]' WHERE id = $1`, [rowId(2)]);
    await bench.foreign.query(`INSERT INTO dq_embeddings (id, content, catalog_id) VALUES ($1, 'new', $1)`, [rowId(13)]);
    const before = await bench.state();
    const mapping = { ...MAPPING, collection: 'catalog_id' };
    await expect(bench.run({ isDryRun: true, mapping })).resolves.toMatchObject({ inserted: 1, updated: 1, unchanged: 10, refused: 1 });
    expect(await bench.state()).toEqual(before);
  });

  it('interrupted and resumed: exactly all rows, and none read twice', async () => {
    await bench.putRows(110);
    const stop = new AbortController();
    const first = await bench.run({ batchSize: 20, signal: stop.signal, onProgress: ({ read }) => read >= 40 && stop.abort() });
    expect(first).toMatchObject({ read: 40, inserted: 40, isInterrupted: true });
    await expect(bench.externalIds()).resolves.toHaveLength(40);
    const second = await bench.run({ batchSize: 20, isResumed: true });
    expect(second).toMatchObject({ skipped: 40, read: 70, inserted: 70, unchanged: 0, isInterrupted: false });
    await expect(bench.externalIds()).resolves.toEqual(allIds(110));
    await expect(bench.verify(second.refusedInAll)).resolves.toMatchObject({ is_passed: true, documents: 110 });
    await expect(bench.run({ isResumed: true, mapping: { ...MAPPING, title: 'title' } })).rejects.toThrow('another --map');
  });

  it('a batch that dies leaves nothing of itself, and the resumed run nothing out', async () => {
    await bench.putRows(50);
    await bench.target.query(`
      CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.last_id >= '${rowId(30)}' THEN RAISE EXCEPTION 'the machine dies here'; END IF; RETURN NEW; END $$;
      CREATE TRIGGER die BEFORE INSERT OR UPDATE ON pgvector_imports FOR EACH ROW EXECUTE FUNCTION die()`);
    await expect(bench.run({ batchSize: 10 })).rejects.toThrow('the machine dies here');
    await expect(bench.externalIds()).resolves.toEqual(allIds(20));
    const { rows } = await bench.target.query('SELECT count(*)::int AS n FROM embedding_cache');
    expect(rows).toEqual([{ n: 20 }]);
    await bench.target.query('DROP TRIGGER die ON pgvector_imports');
    await expect(bench.run({ batchSize: 10, isResumed: true })).resolves.toMatchObject({ skipped: 20, inserted: 30 });
    await expect(bench.externalIds()).resolves.toEqual(allIds(50));
  });

  it('refuses rows by their id with the reason, and goes on with the others', async () => {
    await bench.putRows(12);
    const set = (n: number, assignment: string) => bench.foreign.query(`UPDATE dq_embeddings SET ${assignment} WHERE id = $1`, [rowId(n)]);
    await set(1, `embedding = '[1,2,3]'`);
    await set(2, `embedding = replace(embedding, '[', '[NaN,')`);
    await set(3, `embedding = regexp_replace(embedding, '^.[^,]*', '[NaN')`);
    await set(4, `content = ''`);
    await set(5, `content = NULL`);
    await set(6, `metadata = '[1]'`);
    await set(7, `embedding = NULL`);
    await set(8, `embedding = '[' || repeat('0,', 63) || '0]'`);
    await bench.foreign.query('UPDATE dq_embeddings SET id = $1 WHERE id = $2', [rowId(9), rowId(10)]);
    await bench.foreign.query('UPDATE dq_embeddings SET id = NULL WHERE id = $1', [rowId(11)]);
    const result = await bench.run({ batchSize: 3 });
    expect(bench.refused).toEqual([
      { id: '(none)', reason: 'rows without an id: 1' },
      { id: rowId(1), reason: 'the vector has 3 dimensions, not 64' },
      { id: rowId(2), reason: 'the vector has 65 dimensions, not 64' },
      { id: rowId(3), reason: 'component 1 of the vector is no finite number' },
      { id: rowId(4), reason: expect.stringMatching(/^content: /) },
      { id: rowId(5), reason: expect.stringMatching(/^content: /) },
      { id: rowId(6), reason: 'metadata: must be an object' },
      { id: rowId(8), reason: 'the vector has no direction: every component is 0' },
      { id: rowId(9), reason: 'the id occurs 2 times' },
      { id: rowId(9), reason: 'the id occurs 2 times' },
    ]);
    expect(result).toMatchObject({ total: 12, inserted: 2, refused: 10, vectors: { kept: 1, withoutVector: 1 } });
    await expect(bench.externalIds()).resolves.toEqual([rowId(7), rowId(12)]);
    await expect(bench.verify(result.refusedInAll)).resolves.toMatchObject({ is_passed: true, missing: 0, documents: 2 });
    bench.embedder.resetCalls();
    await bench.settle();
    expect(bench.embedder.texts).toEqual(['oak board number 7 of the catalog']);
  });

  it('a row that the database refuses does not stop its batch', async () => {
    await bench.putRows(9);
    await bench.target.query(`ALTER TABLE documents ADD CONSTRAINT no_five CHECK (content NOT LIKE '%number 5 %')`);
    await expect(bench.run()).resolves.toMatchObject({ inserted: 8, refused: 1 });
    expect(bench.refused).toEqual([{ id: rowId(5), reason: expect.stringContaining('no_five') }]);
    await expect(bench.run({ isResumed: true })).resolves.toMatchObject({ read: 0, skipped: 9, refusedInAll: 1 });
  });

  it('documents of several chunks are embedded anew, and those whose text is not the content are said to be so', async () => {
    await bench.putRows(3, (n) => (n === 3 ? Array.from({ length: 300 }, (_, word) => `word${word}`).join(' ') : `# Board ${n}\n\nof oak`));
    await expect(bench.run({ mapping: { ...MAPPING, title: 'title' } })).resolves.toMatchObject({
      vectors: { kept: 2, keptOfOtherText: 2, severalChunks: 1 },
    });
    const { rows } = await bench.target.query<{ n: number }>('SELECT count(*)::int AS n FROM chunks');
    await bench.settle();
    expect(bench.embedder.calls.documents).toBe(rows[0]!.n - 2);
  });

  it('a text that has another vector already keeps it, and the verification says so', async () => {
    await bench.putRows(3, () => 'the same text');
    const other = new Float32Array(64).fill(0);
    other[0] = 1;
    await bench.foreign.query('UPDATE dq_embeddings SET embedding = $1 WHERE id = $2', [vectorText(other), rowId(3)]);
    await expect(bench.run()).resolves.toMatchObject({ vectors: { kept: 2, otherVector: 1 } });
    await expect(bench.verify(0)).resolves.toMatchObject({ is_passed: false, missing: 0, sample: { below: [{ id: rowId(3) }] } });
  });

  it('the verification finds what is missing, on either side of it', async () => {
    await bench.putRows(20);
    await bench.run();
    await bench.target.query('DELETE FROM documents WHERE external_id = $1', [rowId(4)]);
    await expect(bench.verify(0)).resolves.toMatchObject({ is_passed: false, missing: 1, without_document: [rowId(4)] });
    // As many were refused says nothing of this one.
    await expect(bench.verify(1)).resolves.toMatchObject({ is_passed: false, missing: 1 });
    await bench.foreign.query(`UPDATE dq_embeddings SET content = '' WHERE id = $1`, [rowId(4)]);
    await expect(bench.verify(0)).resolves.toMatchObject({ is_passed: true, missing: 0, without_document: [] });
    await bench.target.query('DELETE FROM embedding_cache');
    const report = await bench.verify(1);
    expect(report).toMatchObject({ is_passed: false, sample: { compared: 19 } });
    expect(report.sample!.below).toHaveLength(19);
  });

  it('the verification compares a large sample slice by slice', async () => {
    await bench.putRows(230, (n) =>
      n % 2 === 0 ? `board number ${n}` : Array.from({ length: 300 }, (_, word) => `word${word} ${n}`).join(' '),
    );
    await bench.run();
    const compared = async (size: number) => (await bench.verify(0, MAPPING, size)).sample!.compared;
    expect([await compared(500), await compared(110), await compared(3)]).toEqual([115, 110, 3]);
  });

  it('the embedder that does not answer is reported, and is no failure', async () => {
    await bench.putRows(5);
    await bench.run();
    bench.embedder.behave('down');
    await expect(bench.verify(0)).resolves.toMatchObject({
      is_passed: true,
      embedded_anew: { cosine: null, problem: 'The double is down' },
    });
  });

  it('puts each catalog into a collection of its own when a column names it', async () => {
    await bench.putRows(4);
    await bench.foreign.query('UPDATE dq_embeddings SET catalog_id = $1 WHERE id IN ($2, $3)', [rowId(900), rowId(1), rowId(2)]);
    const mapping = { ...MAPPING, collection: 'catalog_id' };
    await bench.run({ mapping });
    const { rows } = await bench.target.query(
      'SELECT c.name, count(*)::int AS n FROM documents d JOIN collections c ON c.id = d.collection_id GROUP BY 1 ORDER BY 1',
    );
    expect(rows).toEqual([
      { name: COLLECTION, n: 2 },
      { name: `${COLLECTION}-${rowId(900)}`, n: 2 },
    ]);
    await expect(bench.verify(0, mapping)).resolves.toMatchObject({ is_passed: true, documents: 4 });
  });

  it('rolls back: the generation is retired, the collection takes its documents along, and the import can be had again', async () => {
    await bench.putRows(6);
    const before = await bench.catalog.list();
    bench.embedders.addModel('wide', { dimensions: 96 });
    const id = await bench.creator.create('documents', { model: 'wide' }, null);
    await bench.fillAll();
    await bench.run();
    await bench.settle();
    await bench.target.query(`UPDATE index_generations SET state = 'retired', retired_at = now() WHERE id = $1`, [id]);
    bench.catalog.invalidate();
    expect((await bench.catalog.list()).map((generation) => generation.id)).toEqual(before.map((generation) => generation.id));
    const collection = await bench.collections.find(COLLECTION);
    await bench.collections.delete(collection!.id, null);
    await bench.settle();
    await expect(bench.externalIds()).resolves.toEqual([]);
    expect((await bench.store.info(before[0]!.collection))!.pointsCount).toBe(0);
    await expect(bench.run()).resolves.toMatchObject({ inserted: 6, vectors: { kept: 6 } });
  });

  it('says what is wrong with table, column, type and model', async () => {
    await expect(bench.table(MAPPING, 'nowhere')).rejects.toThrow('The source has no table nowhere');
    await expect(bench.table({ ...MAPPING, title: 'headline' })).rejects.toThrow('has no column headline (for title)');
    await expect(bench.table({ ...MAPPING, vector: 'half' })).rejects.toThrow('of type halfvec; only vector can be imported');
    await expect(bench.table(MAPPING, 'dq_embeddings"; DROP TABLE dq_embeddings; --')).rejects.toThrow('The source has no table');
    await bench.foreign.query(`REVOKE SELECT ON dq_embeddings FROM ${bench.role}`);
    await expect(bench.run()).rejects.toThrow('The source cannot be read: permission denied');
  });
});

describe('the import of vectors with 3072 dimensions', () => {
  let bench: PgvectorBench;
  beforeAll(async () => {
    bench = await PgvectorBench.create({ provider: 'openai', model: 'text-embedding-3-large', dimensions: 3_072, max_tokens: 8_191 });
  });
  afterAll(() => bench.close());

  it('brings 2,000 rows in within seconds, and nothing is embedded', async () => {
    await bench.putRows(2_000);
    const startedMs = performance.now();
    await expect(bench.run()).resolves.toMatchObject({ inserted: 2_000, refused: 0, vectors: { kept: 2_000 } });
    const elapsedMs = performance.now() - startedMs;
    process.stderr.write(`2,000 rows of 3072 dimensions in ${Math.round(elapsedMs)} ms\n`);
    expect(elapsedMs).toBeLessThan(60_000);
    await expect(bench.verify(0)).resolves.toMatchObject({ is_passed: true, documents: 2_000, sample: { compared: 20 } });
    await bench.settle();
    expect(bench.embedder.calls.documents).toBe(1);
  });
});
