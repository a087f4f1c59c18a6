import type { SqlSession } from '#database';
import { ChunkSearchRepository, type MetadataFilter } from '#documents';
import { DomainError, SystemClock } from '#kernel';
import { KeywordIndex } from '#search';
import { createTestDatabase, FakeEmbedder, type TestDatabase } from '#testing';
import type { DocumentPreconditions } from '../src/document.repository.js';
import { DocumentUpdater } from '../src/document-updater.js';
import { noteChunkingModel } from '../src/note-chunking-model.js';
import { DocumentStage } from './document-stage.js';

const ANYHOW: DocumentPreconditions = { versions: null, collections: null };
const EVERYTHING = { collectionId: null, kind: null, metadata: null };
/** Forty words: two chunks for a model that reads 32 tokens, one for the other. */
const LONG = Array.from({ length: 8 }, (_, index) => `Board ${index} lies dry here.`).join(' ');

describe('chunks that a search finds', () => {
  let database: TestDatabase;
  let stage: DocumentStage;
  let search: ChunkSearchRepository;
  let updater: DocumentUpdater;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  beforeEach(async () => {
    stage = await DocumentStage.open(database);
    const { unitOfWork } = stage.database;
    search = new ChunkSearchRepository(unitOfWork, new KeywordIndex(unitOfWork, new SystemClock()));
    updater = new DocumentUpdater(unitOfWork, stage.documents, stage.chunker);
  });
  afterAll(() => database.close());

  /** What is found by the ids of all chunks, and by words. */
  const found = async (words = 'oak ash', metadata: MetadataFilter | null = null) => {
    const { rows } = await stage.database.query<{ id: string }>('SELECT id FROM chunks ORDER BY document_id, ordinal');
    const filter = { ...EVERYTHING, metadata };
    const byId = await search.findMatching(
      rows.map(({ id }) => id),
      filter,
    );
    const [byWords] = await search.findByKeywords([words], 10, filter);
    return { byId: [...byId.values()].map(({ text }) => text), byWords: byWords!.map(({ id }) => byId.get(id)?.text ?? id) };
  };
  const both = (...texts: string[]) => ({ byId: texts, byWords: texts });
  const update = (sql: string) => stage.database.query(`UPDATE documents SET ${sql}`);

  it('say what the document says now, also after plain SQL', async () => {
    await stage.upsert(stage.newDocument());
    expect(await found()).toEqual(both('Oak is hard.'));
    await update(`content = 'Ash is tough.'`);
    expect(await found()).toEqual(both());
    await stage.deriver.runOnce();
    expect(await found()).toEqual(both('Ash is tough.'));
  });

  it('stay while only what no chunk says has changed, and are not made anew for it', async () => {
    const [written] = await stage.upsert(stage.newDocument());
    await update(`source_uri = 'https://example.org', external_id = 'A'`);
    expect(await found()).toEqual(both('Oak is hard.'));
    expect(await stage.documents.find(written!.id)).toMatchObject({ version: 2, chunked_version: 2 });
    expect(await stage.deriver.runOnce()).toBe(0);
  });

  it('stay while the settings of the collection have them made anew, unless the document changes too', async () => {
    await stage.upsert(stage.newDocument());
    await stage.collections.update(stage.collection.id, { chunk_tokens: 128 }, null);
    await update(`source_uri = 'https://example.org'`);
    expect(await found()).toEqual(both('Oak is hard.'));
    await update(`title = 'Steps'`);
    expect(await found()).toEqual(both());
    // Once more: nor may the settings say of an older text that it is true.
    await stage.collections.update(stage.collection.id, { chunk_tokens: 64 }, null);
    expect(await found()).toEqual(both());
    await stage.deriver.runOnce();
    expect(await found()).toEqual(both('Oak is hard.'));
  });

  it('are written with a change, in its transaction', async () => {
    const id = (await stage.upsert(stage.newDocument()))[0]!.id;
    const before = (await stage.documents.find(id))!;
    const after = await updater.update(before, { content: 'Ash is tough.' }, stage.collection, { ...ANYHOW, versions: [1] });
    expect(after).toMatchObject({ version: 2, chunked_version: 2 });
    expect(await found()).toEqual(both('Ash is tough.'));
    await expect(updater.update(before, { content: 'Pine.' }, stage.collection, { ...ANYHOW, versions: [1] })).rejects.toMatchObject({
      code: 'request.precondition-failed',
    });
    expect(await found()).toEqual(both('Ash is tough.'));
  });

  it('come later when the model is away or another writer was there, and nothing old is shown until then', async () => {
    const id = (await stage.upsert(stage.newDocument()))[0]!.id;
    const before = (await stage.documents.find(id))!;
    stage.directory.fault = new DomainError('search.embedder-unavailable');
    expect(await updater.update(before, { content: 'Ash is tough.' }, stage.collection, ANYHOW)).toMatchObject({ version: 2 });
    stage.directory.fault = null;
    expect(await found()).toEqual(both());
    // It was read before, so its chunks would be those of the first title.
    await updater.update(before, { title: 'Steps' }, stage.collection, ANYHOW);
    expect(await found()).toEqual(both());
    await stage.deriver.runOnce();
    expect(await found()).toEqual(both('Ash is tough.'));
  });

  it('stay what they were when the document has moved to where its writer may not see it', async () => {
    const id = (await stage.upsert(stage.newDocument()))[0]!.id;
    const before = (await stage.documents.find(id))!;
    const other = await stage.collections.insert({ ...stage.collection, name: 'elsewhere' });
    await update(`collection_id = '${other.id}'`);
    const seen: DocumentPreconditions = { versions: null, collections: new Set([stage.collection.id]) };
    const missing = { code: 'documents.not-found' };
    await expect(updater.update(before, { content: 'Ash is tough.' }, stage.collection, seen)).rejects.toMatchObject(missing);
    await expect(updater.update(before, { kind: 'faq' }, stage.collection, seen)).rejects.toMatchObject(missing);
    await expect(stage.documents.delete(id, seen)).rejects.toMatchObject(missing);
    expect(await stage.documents.find(id)).toMatchObject({ collection: 'elsewhere', content: before.content, kind: before.kind });
  });

  it('are filtered by the keys that their own collection declares, as in the index', async () => {
    const other = await stage.collections.insert({ ...stage.collection, name: 'other', metadata_keys: {} });
    await stage.upsert(stage.newDocument({ metadata: { topic: 'stairs' } }));
    const undeclared = stage.newDocument({ collection_id: other.id, content: 'Ash is tough.', metadata: { topic: 'stairs' } });
    await stage.writer.upsertAll([undeclared], new Map([[other.id, other]]));
    const filter: MetadataFilter = { kind: 'any', key: 'topic', values: ['stairs'] };
    expect(await found('oak ash', filter)).toEqual(both('Oak is hard.'));
    expect(await found('oak ash', { kind: 'not', filter })).toEqual(both('Ash is tough.'));
  });

  describe('when another model serves', () => {
    const small = new FakeEmbedder({ max_tokens: 32 });

    it('are made anew by its tokens, and shown until then', async () => {
      const id = (await stage.upsert(stage.newDocument({ content: LONG })))[0]!.id;
      expect(await stage.deriver.runOnce()).toBe(0);
      expect(await stage.textsOf(id)).toEqual([LONG]);
      const { version } = (await stage.collections.find('faq'))!;
      await noteChunkingModel(stage.database.unitOfWork, small.modelRev, new AbortController().signal);
      expect(await stage.documents.find(id)).toMatchObject({ chunked_version: null });
      expect(await found('board')).toEqual(both(LONG));
      expect(await stage.deriverWith(small).runOnce()).toBe(1);
      expect((await stage.textsOf(id)).length).toBeGreaterThan(1);
      expect(await stage.deriverWith(small).runOnce()).toBe(0);
      expect(await stage.documents.find(id)).toMatchObject({ version: 1, chunked_version: 1 });
      expect((await stage.collections.find('faq'))!.version).toBe(version);
    });

    it('are marked in batches, and go on where a stop has ended it', async () => {
      const { unitOfWork } = stage.database;
      await stage.upsert(...Array.from({ length: 5 }, () => stage.newDocument()));
      await stage.deriver.runOnce();
      const open = async () =>
        (await unitOfWork.query<{ count: number }>('SELECT count(*)::int AS count FROM documents WHERE chunked_version IS NULL')).rows[0]!
          .count;
      const stopping = new AbortController();
      const markedBeforeNote: number[] = [];
      const session: SqlSession = {
        query: async (sql, parameters) => {
          if (sql.startsWith('UPDATE collections')) markedBeforeNote.push(await open());
          const result = await unitOfWork.query<never>(sql, parameters);
          if (sql.includes('marked')) stopping.abort();
          return result;
        },
      };
      await noteChunkingModel(session, small.modelRev, stopping.signal, 2);
      expect([await open(), markedBeforeNote]).toEqual([2, []]);
      await noteChunkingModel(session, small.modelRev, new AbortController().signal, 2);
      expect([await open(), markedBeforeNote]).toEqual([5, [5]]);
    });

    it('are not those of a process that has not noticed', async () => {
      await stage.deriverWith(small).runOnce();
      const id = (await stage.upsert(stage.newDocument({ content: LONG })))[0]!.id;
      expect(await stage.textsOf(id)).toEqual([]);
      expect(await stage.deriverWith(small).runOnce()).toBe(1);
      expect((await stage.textsOf(id)).length).toBeGreaterThan(1);
    });
  });
});
