import { loadConfig } from '#config';
import type { UnitOfWork } from '#database';
import { DomainError } from '#kernel';
import { ProjectIndexSource, ProjectRepository, renderProjectText } from '#projects';
import { CandidateSearch, HybridSearch, KeywordIndex, ServingTargets } from '#search';
import { createTestDatabase, FakeEmbedder, FakeIndexDirectory, FakeVectorStore, FixedClock, type TestDatabase } from '#testing';
import { DirectSearchStore, FailoverVectorStore, SearchReplica, VectorStoreError, type SearchStore } from '#vector-store';
import { SimilarityService } from '../src/similarity.service.js';

const OPTIONS = { mode: 'vector', topK: 5, threshold: -1, filter: [] } as const;

describe('SimilarityService', () => {
  let database: TestDatabase;
  let store: FakeVectorStore;
  let embedder: FakeEmbedder;
  let directory: FakeIndexDirectory;
  let service: SimilarityService;
  let source: ProjectIndexSource;
  let statements: string[];

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.close());

  beforeEach(async () => {
    await database.query('TRUNCATE projects');
    store = new FakeVectorStore();
    embedder = new FakeEmbedder();
    directory = new FakeIndexDirectory({ store, embedder });
    statements = [];
    source = new ProjectIndexSource(new ProjectRepository(database.unitOfWork));
    service = serviceOver(new DirectSearchStore(store));
  });

  /** Notes every statement of a search. */
  function serviceOver(searches: SearchStore): SimilarityService {
    const counted = {
      query: (sql: string, parameters?: readonly unknown[]) => {
        statements.push(sql);
        return database.unitOfWork.query(sql, parameters);
      },
      run: database.unitOfWork.run.bind(database.unitOfWork),
    } as typeof database.unitOfWork;
    const targets = new ServingTargets(directory);
    return new SimilarityService(
      new HybridSearch(targets, new CandidateSearch(searches), loadConfig({}).search),
      new KeywordIndex(counted, new FixedClock()),
      targets,
      searches,
      new ProjectRepository(counted),
    );
  }

  /** Rows "oak", "oak oak1", "oak oak1 oak2", …: the later, the less like "oak". */
  async function seed(count: number): Promise<string[]> {
    const { rows } = await database.query<{ id: string }>(
      `INSERT INTO projects (name, description, region, final_price)
       SELECT 'oak', (SELECT string_agg('word' || i, ' ') FROM generate_series(1, n) AS i), (ARRAY['Bavaria', 'Tyrol'])[1 + n % 2], n * 100 FROM generate_series(1, $1::int) AS n RETURNING id`,
      [count],
    );
    await directory.indexAll(source, database.unitOfWork);
    statements.length = 0;
    return rows.map(({ id }) => id);
  }

  it('answers with rows, best first, in one statement', async () => {
    await seed(20);
    const { hits, isTruncated, isDegraded, source: from, index } = await service.findSimilar({ ...OPTIONS, query: 'oak' });
    expect(hits.map(({ rank }) => rank)).toEqual([1, 2, 3, 4, 5]);
    expect(hits.map(({ similarity }) => similarity)).toEqual([...hits.map(({ similarity }) => similarity)].sort((a, b) => b! - a!));
    expect(hits[0]!.row).toMatchObject({ name: 'oak', final_price: 100 });
    expect({ isTruncated, isDegraded, from, index }).toEqual({
      isTruncated: false,
      isDegraded: false,
      from: 'local',
      index: { generation: '1', model: 'fake:q8', pending: 0 },
    });
    expect([statements.length, store.calls.query]).toEqual([1, 1]);
  });

  it('says when the text was longer than the model reads', async () => {
    await seed(1);
    const { isTruncated } = await service.findSimilar({ ...OPTIONS, query: 'oak '.repeat(1_000) });
    expect(isTruncated).toBe(true);
  });

  it('uses the configured threshold when none is given', async () => {
    await seed(20);
    const { hits } = await service.findSimilar({ ...OPTIONS, threshold: null, query: 'word19 word20' });
    for (const { similarity } of hits) expect(similarity).toBeGreaterThanOrEqual(0.3);
    const all = await service.findSimilar({ ...OPTIONS, threshold: -1, query: 'word19 word20', topK: 100 });
    expect(all.hits).toHaveLength(20);
  });

  it('stays full although most of the best points are stale', async () => {
    const ids = await seed(60);
    const before = await service.findSimilar({ ...OPTIONS, query: 'oak', topK: 100 });
    const order = before.hits.map(({ row }) => row.id);
    await database.query('DELETE FROM projects WHERE id = ANY($1)', [order.slice(0, 40)]);
    statements.length = 0;
    const { hits } = await service.findSimilar({ ...OPTIONS, query: 'oak' });
    expect(hits.map(({ row }) => row.id)).toEqual(order.slice(40, 45));
    expect(statements.length).toBeLessThanOrEqual(4);
    expect(ids).toHaveLength(60);
  });

  it('gives what there is when everything else is stale', async () => {
    const ids = await seed(10);
    await database.query('DELETE FROM projects WHERE id <> $1', [ids[0]]);
    const { hits } = await service.findSimilar({ ...OPTIONS, query: 'oak' });
    expect(hits.map(({ row }) => row.id)).toEqual([ids[0]]);
  });

  it('checks the filters on the rows as they are now', async () => {
    await seed(20);
    const filter = [{ kind: 'any', field: 'region', values: ['Tyrol'] }] as const;
    const before = await service.findSimilar({ ...OPTIONS, query: 'oak', filter });
    const moved = before.hits[0]!.row.id;
    await database.query(`UPDATE projects SET region = 'Bavaria' WHERE id = $1`, [moved]);
    const after = await service.findSimilar({ ...OPTIONS, query: 'oak', filter });
    expect(after.hits).toHaveLength(5);
    for (const { row } of after.hits) expect(row.region).toBe('Tyrol');
    expect(after.hits.map(({ row }) => row.id)).not.toContain(moved);
  });

  it('combines filters', async () => {
    await seed(20);
    const { hits } = await service.findSimilar({
      ...OPTIONS,
      query: 'oak',
      topK: 100,
      filter: [
        { kind: 'any', field: 'region', values: ['Tyrol', 'Vienna'] },
        { kind: 'range', field: 'final_price', gt: 300, lte: 900 },
      ],
    });
    expect(hits.map(({ row }) => row.final_price).sort((a, b) => a! - b!)).toEqual([500, 700, 900]);
  });

  it('answers a batch like single searches, with one call to the store and one statement', async () => {
    await seed(20);
    const queries = ['oak', 'word1 word2', 'nothing at all', 'oak'];
    const singles = await Promise.all(queries.map((query) => service.findSimilar({ ...OPTIONS, query })));
    statements.length = 0;
    const { results } = await service.findSimilarBatch({ ...OPTIONS, queries });
    expect(results.map(({ hits }) => hits)).toEqual(singles.map(({ hits }) => hits));
    expect([statements.length, store.calls.queryBatch]).toEqual([1, 1]);
  });

  it('fetches more for the short query of a batch only', async () => {
    await seed(40);
    const { hits } = await service.findSimilar({ ...OPTIONS, query: 'oak', topK: 20 });
    await database.query('DELETE FROM projects WHERE id = ANY($1)', [hits.map(({ row }) => row.id)]);
    const { results } = await service.findSimilarBatch({ ...OPTIONS, queries: ['oak', 'word40 word39 word38'] });
    expect(results.map((result) => result.hits.length)).toEqual([5, 5]);
  });

  describe('like a stored row', () => {
    it('leaves the row out', async () => {
      const ids = await seed(10);
      const { hits } = await service.findSimilarTo(ids[0]!, OPTIONS);
      expect(hits).toHaveLength(5);
      expect(hits.map(({ row }) => row.id)).not.toContain(ids[0]);
    });

    it('works for a row that is not indexed yet, by its present text', async () => {
      const ids = await seed(10);
      const { rows } = await database.query<{ id: string }>(
        `INSERT INTO projects (name, description) VALUES ('oak', 'word1 word2') RETURNING id`,
      );
      const { hits } = await service.findSimilarTo(rows[0]!.id, { ...OPTIONS, topK: 1 });
      expect(hits[0]!.row.id).toBe(ids[1]);
      expect(embedder.texts.at(-1)).toBe(
        renderProjectText({ name: 'oak', description: 'word1 word2', project_type: null, region: null, wood_type: null }),
      );
    });

    it('embeds it as a document when documents have another prefix', async () => {
      embedder = new FakeEmbedder({ query_prefix: 'query: ', document_prefix: 'passage: ' });
      directory = new FakeIndexDirectory({ store, embedder });
      service = serviceOver(new DirectSearchStore(store));
      const ids = await seed(2);
      const before = { ...embedder.calls };
      await service.findSimilarTo(ids[0]!, OPTIONS);
      expect([embedder.calls.documents - before.documents, embedder.calls.queries - before.queries]).toEqual([1, 0]);
    });

    it('does not know a missing row', async () => {
      await seed(1);
      await expect(service.findSimilarTo('0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11', OPTIONS)).rejects.toMatchObject({
        code: 'projects.not-found',
      });
    });
  });

  describe('when something is down', () => {
    const byWords = { isDegraded: true, source: 'keyword', indexAgeSeconds: null, index: { generation: '1' } };

    it.each([
      [new VectorStoreError('unavailable', 'refused'), {}],
      [new VectorStoreError('throttled', 'slow down', { retryAfterMs: 2_500 }), { 'Retry-After': '3' }],
      [new VectorStoreError('collection-missing', 'gone'), {}],
    ])('the index (%p): words answer; the statistics of the index have nobody else', async (error, headers) => {
      const ids = await seed(3);
      store.failWith(error);
      for (const mode of ['vector', 'keyword', 'hybrid'] as const) {
        const found = await service.findSimilar({ ...OPTIONS, mode, query: 'word3' });
        expect(found).toMatchObject({ ...byWords, isDegraded: mode !== 'keyword', hits: [{ id: ids[2], similarity: null, rank: 1 }] });
      }
      await expect(service.findSimilarBatch({ ...OPTIONS, queries: ['word3', 'zebra'] })).resolves.toMatchObject({
        ...byWords,
        results: [{ hits: [{ id: ids[2] }] }, { hits: [] }],
      });
      const { hits } = await service.findSimilarTo(ids[2]!, OPTIONS);
      expect(hits.map(({ id }) => id).sort()).toEqual([ids[0], ids[1]].sort());
      await expect(service.statistics()).rejects.toMatchObject({ code: 'search.index-unavailable', headers });
    });

    it('the model: words answer', async () => {
      const ids = await seed(3);
      embedder.failAlways();
      await expect(service.findSimilar({ ...OPTIONS, query: 'word2 word3' })).resolves.toMatchObject({
        ...byWords,
        isTruncated: false,
        hits: [{ id: ids[2] }, { id: ids[1] }],
      });
    });

    it('the database as well: nobody can answer', async () => {
      await seed(1);
      const away = new DomainError('database.unavailable');
      const broken = { query: () => Promise.reject(away), run: () => Promise.reject(away) } as unknown as UnitOfWork;
      const searches = new DirectSearchStore(store);
      const targets = new ServingTargets(directory);
      const hybrid = new HybridSearch(targets, new CandidateSearch(searches), loadConfig({}).search);
      service = new SimilarityService(hybrid, new KeywordIndex(broken, new FixedClock()), targets, searches, new ProjectRepository(broken));
      store.failWith(new VectorStoreError('unavailable', 'refused'));
      for (const mode of ['vector', 'keyword', 'hybrid'] as const)
        await expect(service.findSimilar({ ...OPTIONS, mode, query: 'oak' })).rejects.toBe(away);
    });

    it('does not call a defect an outage', async () => {
      await seed(1);
      store.failWith(new VectorStoreError('dimension-mismatch', 'wrong'));
      await expect(service.findSimilar({ ...OPTIONS, query: 'oak' })).rejects.toBeInstanceOf(VectorStoreError);
    });
  });

  describe('with a copy of the index', () => {
    let copy: FakeVectorStore;
    let clock: FixedClock;
    beforeEach(async () => {
      copy = new FakeVectorStore();
      clock = new FixedClock();
      const replica = new SearchReplica(copy, 1_000, clock);
      service = serviceOver(new FailoverVectorStore({ primary: store, replica, searchTimeoutMs: 2_000, clock, random: () => 1 }));
      await seed(60);
      const { points } = await store.scroll(directory.collection, { limit: 100, hasVectors: true });
      await copy.ensureIndex({ name: directory.collection, dimensions: 64, payloadIndexes: [], metadata: {} });
      await copy.upsert(
        directory.collection,
        points.map(({ id, payload, vector }) => ({ id, payload, vector: vector! })),
      );
      replica.setInStep(directory.collection, { readAtMs: clock.monotonicMs(), oldestPendingMs: 2_000 });
    });

    it('answers the same while the index is away, and says so everywhere', async () => {
      const filter = [{ kind: 'any', field: 'region', values: ['Tyrol'] }] as const;
      const before = await service.findSimilar({ ...OPTIONS, query: 'oak', filter });
      expect(before).toMatchObject({ isDegraded: false, indexAgeSeconds: null });
      store.failWith(new VectorStoreError('unavailable', 'refused'));
      const origin = { isDegraded: true, source: 'local', indexAgeSeconds: 2 };
      const after = await service.findSimilar({ ...OPTIONS, query: 'oak', filter });
      expect(after).toEqual({ ...before, ...origin });
      await expect(service.findSimilarBatch({ ...OPTIONS, queries: ['oak', 'ash'] })).resolves.toMatchObject(origin);
      await expect(service.findSimilarTo(before.hits[0]!.row.id, OPTIONS)).resolves.toMatchObject(origin);
      await expect(service.statistics()).resolves.toMatchObject({ ...origin, pointsCount: 60 });
    });

    it('is degraded when one of several rounds was', async () => {
      const all = await service.findSimilar({ ...OPTIONS, query: 'oak', topK: 60 });
      await database.query('DELETE FROM projects WHERE id = ANY($1)', [all.hits.slice(0, 40).map(({ row }) => row.id)]);
      const query = store.query.bind(store);
      let rounds = 0;
      store.query = (...parameters) => {
        if (++rounds > 1) store.failWith(new VectorStoreError('unavailable', 'refused'));
        return query(...parameters);
      };
      const { hits, ...origin } = await service.findSimilar({ ...OPTIONS, query: 'oak' });
      expect(hits).toHaveLength(5);
      expect(origin).toMatchObject({ isDegraded: true, source: 'local', indexAgeSeconds: 2 });
    });

    it('is never fresh while the copy answers, with the backlog as it is now', async () => {
      const { hits } = await service.findSimilar({ ...OPTIONS, query: 'oak' });
      const { id } = hits[0]!.row;
      directory.setEntry(id, { state: 'synced' });
      const consistency = { token: { source: 'projects', id, generationId: 1, version: 1 }, waitMs: 0 };
      const fresh = await service.findSimilar({ ...OPTIONS, query: 'oak', consistency });
      expect(fresh.consistency).toEqual({ isFresh: true, backlog: null });
      directory.pending = 4;
      store.failWith(new VectorStoreError('unavailable', 'refused'));
      const stale = { isDegraded: true, index: { pending: 4 }, consistency: { isFresh: false, backlog: 4 } };
      await expect(service.findSimilar({ ...OPTIONS, query: 'oak', consistency })).resolves.toMatchObject(stale);
      await expect(service.findSimilarBatch({ ...OPTIONS, queries: ['oak', 'ash'], consistency })).resolves.toMatchObject(stale);
      await expect(service.findSimilarTo(id, { ...OPTIONS, consistency })).resolves.toMatchObject(stale);
    });

    it('answers from the copy while the collection is missing', async () => {
      await store.drop(directory.collection);
      await expect(service.findSimilar({ ...OPTIONS, query: 'oak' })).resolves.toMatchObject({ isDegraded: true });
      await expect(service.statistics()).resolves.toMatchObject({ isDegraded: true, pointsCount: 60 });
    });
  });

  it('describes the index', async () => {
    await seed(3);
    directory.pending = 2;
    await expect(service.statistics()).resolves.toEqual({
      collection: directory.collection,
      status: 'green',
      dimensions: 64,
      pointsCount: 3,
      indexedVectorsCount: 0,
      isDegraded: false,
      source: 'local',
      indexAgeSeconds: null,
      index: { generation: '1', model: 'fake:q8', pending: 2 },
    });
  });
});
