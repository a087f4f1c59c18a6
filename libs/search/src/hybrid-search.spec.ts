import { loadConfig } from '#config';
import { FakeEmbedder, FakeIndexDirectory, FakeVectorStore } from '#testing';
import { DomainError } from '#kernel';
import { DirectSearchStore, VectorStoreError } from '#vector-store';
import { CandidateSearch } from './candidate-search.js';
import { HybridSearch, type HybridQuery } from './hybrid-search.js';
import { ServingTargets } from './serving-targets.js';

interface Row {
  readonly text: string;
}

const idOf = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

describe('HybridSearch', () => {
  let store: FakeVectorStore;
  let embedder: FakeEmbedder;
  let directory: FakeIndexDirectory;
  let search: HybridSearch;
  let rows: Map<string, Row>;
  let reads: string[][];
  let wordSearches: number[];

  beforeEach(() => {
    store = new FakeVectorStore();
    embedder = new FakeEmbedder();
    directory = new FakeIndexDirectory({ store, embedder });
    search = new HybridSearch(new ServingTargets(directory), new CandidateSearch(new DirectSearchStore(store)), loadConfig({}).search);
    rows = new Map();
    reads = [];
    wordSearches = [];
  });

  /** Puts rows into the table, and all but those marked into the index. */
  async function seed(texts: readonly string[], unindexed: readonly number[] = []): Promise<void> {
    texts.forEach((text, n) => rows.set(idOf(n), { text }));
    await store.ensureIndex({ name: directory.collection, dimensions: embedder.dimensions, payloadIndexes: [], metadata: {} });
    const indexed = [...rows].filter((_, n) => !unindexed.includes(n));
    const embeddings = await embedder.embedDocuments(indexed.map(([, { text }]) => text));
    await store.upsert(
      directory.collection,
      indexed.map(([id], index) => ({
        id,
        vector: embeddings[index]!.vector,
        payload: { rev: 1, text_hash: '', payload_hash: '', model_rev: embedder.modelRev, bucket: id.slice(-2) },
      })),
    );
  }

  function queryOf(query: Partial<HybridQuery<Row>>): HybridQuery<Row> {
    return {
      source: 'projects',
      mode: 'hybrid',
      texts: ['oak'],
      topK: 5,
      threshold: null,
      filter: undefined,
      readRows: async (ids) => {
        reads.push([...ids]);
        return new Map(ids.flatMap((id) => (rows.has(id) ? [[id, rows.get(id)!]] : [])));
      },
      // Words in common, ties by id: what a full-text search does, without one.
      findByKeywords: async (texts, limit) => {
        wordSearches.push(limit);
        return texts.map((text) =>
          [...rows]
            .map(([id, row]) => ({ id, score: row.text.split(' ').filter((word) => text.split(' ').includes(word)).length }))
            .filter(({ score }) => score > 0)
            .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
            .slice(0, limit),
        );
      },
      ...query,
    };
  }

  const numbersOf = (hits: readonly { readonly id: string }[]) => hits.map(({ id }) => Number(id.slice(-12)));

  it('asks the database for no row of a point whose id can be none: somebody else writes to the index', async () => {
    await seed(['oak kitchen', 'oak']);
    const query = store.query.bind(store);
    store.query = async (...parameters) => [
      ...['17', '', "'; DROP TABLE projects", `${idOf(1)}0`].map((id) => ({ id, score: 1 })),
      ...(await query(...parameters)),
    ];
    const { results } = await search.search(queryOf({ mode: 'vector' }));
    expect(numbersOf(results[0]!.hits)).toEqual([1, 0]);
    expect(reads.flat().sort()).toEqual([idOf(0), idOf(1)]);
  });

  it('reads the rows of both lists at once, and asks the index for what only words found', async () => {
    await seed(['oak kitchen', 'oak', 'larch', 'oak new'], [3]);
    const { results, ...origin } = await search.search(queryOf({ threshold: -1 }));
    const byId = [...results[0]!.hits].sort((a, b) => (a.id < b.id ? -1 : 1));
    expect(byId.map(({ similarity, scores }) => [similarity !== null, scores?.vector !== null, scores?.keyword !== null])).toEqual([
      [true, true, true],
      [true, true, true],
      [true, true, false],
      [false, false, true],
    ]);
    expect(reads).toHaveLength(1);
    expect(origin).toEqual({
      isDegraded: false,
      source: 'local',
      indexAgeSeconds: null,
      index: { generation: '1', model: 'fake:q8', pending: 0 },
    });
  });

  it('asks the index for the similarity of exactly the rows that its own list lacks', async () => {
    // 80 rows are nearer than the one with the word.
    await seed([...Array.from({ length: 80 }, () => 'beech stairs'), 'oak']);
    const asked: unknown[] = [];
    const query = store.query.bind(store);
    store.query = (collection, request) => {
      asked.push(request.filter);
      return query(collection, request);
    };
    const { results } = await search.search(
      queryOf({ texts: ['beech stairs'], threshold: -1, topK: 100, findByKeywords: async () => [[{ id: idOf(80), score: 1 }]] }),
    );
    expect(asked).toEqual([undefined]);
    expect(results[0]!.hits).toHaveLength(81);
    const { results: short } = await search.search(
      queryOf({
        texts: ['beech stairs'],
        threshold: -1,
        findByKeywords: async () => [
          [
            { id: idOf(80), score: 1 },
            { id: idOf(0), score: 0.5 },
          ],
        ],
      }),
    );
    expect(asked).toEqual([undefined, undefined, { kind: 'ids', ids: [idOf(80)] }]);
    expect(short[0]!.hits.find(({ id }) => id === idOf(80))).toMatchObject({ similarity: expect.any(Number), scores: { vector: null } });
  });

  it('answers by vectors alone as before, without looking for words', async () => {
    await seed(['oak kitchen', 'oak', 'larch']);
    const { results } = await search.search(queryOf({ mode: 'vector' }));
    expect(numbersOf(results[0]!.hits)).toEqual([1, 0]);
    expect(results[0]!.hits.map(({ scores }) => scores)).toEqual([null, null]);
    expect(wordSearches).toEqual([]);
  });

  it('answers by words alone without model and index', async () => {
    await seed(['oak kitchen', 'oak', 'larch']);
    embedder.failAlways();
    store.failWith(new VectorStoreError('unavailable', 'refused'));
    const { results, ...origin } = await search.search(queryOf({ mode: 'keyword', texts: ['oak kitchen', 'zebra'] }));
    expect(results.map(({ hits }) => numbersOf(hits))).toEqual([[0, 1], []]);
    expect(results[0]!.hits[0]).toMatchObject({
      similarity: null,
      rank: 1,
      scores: { vector: null, keyword: { score: 2, rank: 1 }, fused: 1 / 61 },
    });
    expect(origin).toMatchObject({ isDegraded: false, source: 'keyword', indexAgeSeconds: null, index: { generation: '1' } });
    expect(reads).toHaveLength(1);
  });

  describe.each(['vector', 'hybrid', 'keyword'] as const)('in mode %s', (mode) => {
    it.each([
      ['the index', () => store.failWith(new VectorStoreError('unavailable', 'refused')), '1'],
      ['the model', () => embedder.failAlways(), '1'],
      ['any index', () => void (directory.fault = new DomainError('search.not-ready')), null],
    ])('answers by words while %s is away', async (_, breakIt, generation) => {
      await seed(['oak kitchen', 'oak', 'larch']);
      breakIt();
      const { results, ...origin } = await search.search(queryOf({ mode, texts: ['oak kitchen'] }));
      expect(numbersOf(results[0]!.hits)).toEqual([0, 1]);
      expect(origin).toMatchObject({ isDegraded: mode !== 'keyword', source: 'keyword', indexAgeSeconds: null });
      expect(origin.index?.generation ?? null).toBe(generation);
      expect(wordSearches).toHaveLength(1);
    });
  });

  it('knows by words what the index may not have: that write is in the rows', async () => {
    await seed(['oak']);
    store.failWith(new VectorStoreError('unavailable', 'refused'));
    const consistency = { token: { source: 'projects', id: idOf(0), generationId: 1, version: 1 }, waitMs: 0 };
    await expect(search.search(queryOf({ consistency }))).resolves.toMatchObject({ consistency: { isFresh: true, backlog: null } });
    await expect(search.search(queryOf({ consistency, mode: 'keyword' }))).resolves.toMatchObject({ consistency: { isFresh: true } });
    expect(directory.tokenWaits).toEqual([0]);
  });

  it('fails as the database does when that is away', async () => {
    await seed(['oak']);
    const away = new DomainError('database.unavailable');
    const query = queryOf({ readRows: () => Promise.reject(away), findByKeywords: () => Promise.reject(away) });
    await expect(search.search(query)).rejects.toBe(away);
    store.failWith(new VectorStoreError('unavailable', 'refused'));
    for (const mode of ['vector', 'hybrid', 'keyword'] as const) await expect(search.search({ ...query, mode })).rejects.toBe(away);
  });

  it('does not take a defect for an outage', async () => {
    await seed(['oak']);
    store.failWith(new VectorStoreError('dimension-mismatch', 'wrong'));
    await expect(search.search(queryOf({}))).rejects.toBeInstanceOf(VectorStoreError);
  });

  it('leaves out the row that is compared with, in every mode', async () => {
    await seed(['oak', 'oak kitchen', 'larch']);
    for (const mode of ['vector', 'hybrid', 'keyword'] as const) {
      const { results } = await search.search(queryOf({ mode, excludedId: idOf(0), topK: 1 }));
      expect(numbersOf(results[0]!.hits)).toEqual([1]);
    }
  });

  it('looks deeper when a few groups fill both lists', async () => {
    await seed([...Array.from({ length: 300 }, () => 'oak oak'), 'oak b', 'oak c']);
    const grouping = { maximum: 2, groupOf: ({ text }: Row) => text };
    for (const mode of ['hybrid', 'keyword'] as const) {
      wordSearches.length = 0;
      const { results } = await search.search(queryOf({ mode, grouping, topK: 4, threshold: -1 }));
      expect(results[0]!.hits.map(({ row }) => row.text)).toEqual(['oak oak', 'oak oak', 'oak b', 'oak c']);
      expect(wordSearches).toEqual([20, 80, 320]);
    }
  });

  it('counts how long each search took, by who answered', async () => {
    await seed(['oak kitchen', 'oak']);
    await search.search(queryOf({}));
    await search.search(queryOf({ mode: 'vector' }));
    await search.search(queryOf({ texts: ['oak', 'kitchen'], mode: 'vector' }));
    embedder.failAlways();
    await search.search(queryOf({ mode: 'vector' }));
    const away = new DomainError('database.unavailable');
    await expect(search.search(queryOf({ findByKeywords: () => Promise.reject(away) }))).rejects.toBe(away);
    expect(
      search.timings.entries().map(({ labels, durations }) => [...Object.values(labels), durations.counts.reduce((a, b) => a + b)]),
    ).toEqual([
      ['local', 'hybrid', 'one', 1],
      ['local', 'vector', 'one', 1],
      ['local', 'vector', 'many', 1],
      ['keyword', 'vector', 'one', 1],
      ['none', 'hybrid', 'one', 1],
    ]);
  });

  it('fuses a full list however few results are asked for', async () => {
    await seed(['oak']);
    await search.search(queryOf({ topK: 1 }));
    await search.search(queryOf({ topK: 100 }));
    expect(wordSearches).toEqual([20, 100]);
  });
});
