import {
  ChunkRepository,
  DocumentIndexSource,
  type ChunkDeriver,
  type CollectionRepository,
  type DocumentRepository,
  type DocumentWriter,
  type Collection,
  type NewDocument,
} from '#documents';
import { DomainError } from '#kernel';
import { createTestDatabase, type FakeEmbedder, type FakeIndexDirectory, type TestDatabase } from '#testing';
import { DocumentStage } from './document-stage.js';

/** Some thirty words each, so that every paragraph is a chunk. */
const paragraphs = (count: number) =>
  Array.from({ length: count }, (_, index) => Array.from({ length: 30 }, (_word, place) => `w${index}x${place}`).join(' '));

interface ChunkRecord {
  id: string;
  ordinal: number;
  text: string;
  context: string;
  language: string | null;
  payload: unknown;
  xmin: string;
}

describe('documents and their chunks', () => {
  let database: TestDatabase;
  let stage: DocumentStage;
  let embedder: FakeEmbedder;
  let directory: FakeIndexDirectory;
  let collections: CollectionRepository;
  let documents: DocumentRepository;
  let writer: DocumentWriter;
  let deriver: ChunkDeriver;
  let collection: Collection;

  beforeEach(async () => {
    database = await createTestDatabase();
    stage = await DocumentStage.open(database);
    ({ embedder, directory, collections, documents, writer, deriver, collection } = stage);
  });
  afterEach(() => database.close());

  const newDocument = (fields?: Partial<NewDocument>): NewDocument => stage.newDocument(fields);
  const upsert = async (...list: NewDocument[]) => stage.upsert(...list);
  const chunksOf = async (id: string) =>
    (
      await database.query<ChunkRecord>(
        'SELECT id, ordinal, text, context, language, payload, xmin::text FROM chunks WHERE document_id = $1 ORDER BY ordinal',
        [id],
      )
    ).rows;
  const insertRaw = async (title: string, content: string, language?: string) => stage.insertRaw(title, content, language);
  /** A generation, so that the triggers have something to mark. */
  const watch = async () => {
    await database.query(
      `INSERT INTO index_generations (source, collection, model_rev, template_rev, dimensions, state, embedder) VALUES ('documents', 'c', 'm', 't', 3, 'serving', '{}')`,
    );
  };
  const marked = async () => (await database.query<{ count: number }>('SELECT count(*)::int AS count FROM index_ledger')).rows[0]!.count;

  it('writes a document with its chunks at once', async () => {
    await watch();
    const [written] = await upsert(newDocument({ kind: 'faq', metadata: { topic: 'stairs', year: 2020, other: 1 } }));
    expect(written).toMatchObject({ outcome: 'inserted' });
    expect(await documents.find(written!.id)).toMatchObject({ collection: 'faq', version: 1, chunked_version: 1 });
    expect(await chunksOf(written!.id)).toMatchObject([
      {
        ordinal: 0,
        context: 'Stairs',
        text: 'Oak is hard.',
        payload: { collection: collection.id, kind: 'faq', m_topic: 'stairs', m_year: 2020 },
      },
    ]);
    expect(await marked()).toBe(1);
    expect(await deriver.runOnce()).toBe(0);
  });

  it('leaves an equal document untouched, and replaces one that differs', async () => {
    const [first] = await upsert(newDocument({ external_id: 'A', metadata: { b: 1, a: [2] } }));
    expect(await upsert(newDocument({ external_id: 'A', metadata: { a: [2], b: 1 } }))).toEqual([{ id: first!.id, outcome: 'unchanged' }]);
    expect(await documents.find(first!.id)).toMatchObject({ version: 1 });
    expect(await upsert(newDocument({ external_id: 'A', content: 'Ash is tough.' }))).toEqual([{ id: first!.id, outcome: 'updated' }]);
    expect(await documents.find(first!.id)).toMatchObject({ version: 2, chunked_version: 2, content: 'Ash is tough.' });
    expect(await chunksOf(first!.id)).toMatchObject([{ text: 'Ash is tough.' }]);
  });

  it('makes chunks after raw SQL, for each version once', async () => {
    const id = await insertRaw('Ash', 'Ash is tough and the wood of tools.');
    expect(await deriver.runOnce()).toBe(1);
    expect(await chunksOf(id)).toMatchObject([{ context: 'Ash', language: 'en' }]);
    await database.query(`UPDATE documents SET content = 'Die Esche ist zäh und das Holz der Stiele.' WHERE id = $1`, [id]);
    expect(await deriver.runOnce()).toBe(1);
    expect(await chunksOf(id)).toMatchObject([{ text: 'Die Esche ist zäh und das Holz der Stiele.', language: 'de' }]);
    expect(await deriver.runOnce()).toBe(0);
    await database.query('DELETE FROM documents WHERE id = $1', [id]);
    expect(await chunksOf(id)).toEqual([]);
  });

  it('touches only the chunks that differ', async () => {
    const texts = paragraphs(100);
    const [written] = await upsert(newDocument({ external_id: 'long', content: texts.join('\n\n') }));
    const before = await chunksOf(written!.id);
    expect(before.length).toBe(100);
    texts[50] = texts[50]!.replace('w50x3', 'w50y3');
    await upsert(newDocument({ external_id: 'long', content: texts.join('\n\n') }));
    const after = await chunksOf(written!.id);
    expect(after.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
    expect(after.filter(({ xmin }, index) => xmin !== before[index]!.xmin).map(({ ordinal }) => ordinal)).toEqual([50]);
  });

  it('makes all chunks anew when the collection changes how', async () => {
    const [written] = await upsert(newDocument({ metadata: { size: 3 } }));
    await collections.update(collection.id, { description: 'only words' }, null);
    expect(await deriver.runOnce()).toBe(0);
    await collections.update(collection.id, { metadata_keys: { size: 'number' } }, null);
    expect(await deriver.runOnce()).toBe(1);
    expect(await chunksOf(written!.id)).toMatchObject([{ payload: { m_size: 3 } }]);
    expect(await documents.find(written!.id)).toMatchObject({ version: 1, chunked_version: 1 });
  });

  it('leaves it to the deriver when the collection has changed in between, or the model is away', async () => {
    const prepared = await writer.prepare([newDocument()], new Map([[collection.id, collection]]));
    await collections.update(collection.id, { chunk_tokens: 128 }, null);
    const [written] = await database.unitOfWork.run((session) => writer.upsert(session, prepared));
    expect(await chunksOf(written!.id)).toEqual([]);
    directory.fault = new DomainError('search.embedder-unavailable');
    const [other] = await upsert(newDocument());
    expect(await documents.find(other!.id)).toMatchObject({ chunked_version: null });
    await expect(deriver.runOnce()).rejects.toMatchObject({ code: 'search.embedder-unavailable' });
    directory.fault = null;
    expect(await deriver.runOnce()).toBe(2);
    expect((await chunksOf(written!.id)).length + (await chunksOf(other!.id)).length).toBe(2);
  });

  it('gives a document to one process at a time, and to another when that one is dead', async () => {
    await insertRaw('A', 'a');
    const { rows } = await database.query(`UPDATE documents SET chunking_until = now() + interval '1 minute' RETURNING id`);
    expect(rows).toHaveLength(1);
    expect(await deriver.runOnce()).toBe(0);
    await database.query(`UPDATE documents SET chunking_until = now() - interval '1 second'`);
    expect(await deriver.runOnce()).toBe(1);
  });

  it('does not write chunks of a version that is no longer there', async () => {
    const id = await insertRaw('A', 'old words');
    const counting = embedder.countTokens.bind(embedder);
    embedder.countTokens = async (texts) => {
      await database.query(`UPDATE documents SET content = 'new words' WHERE id = $1`, [id]);
      embedder.countTokens = counting;
      return counting(texts);
    };
    await deriver.runOnce();
    expect(await chunksOf(id)).toEqual([]);
    await deriver.runOnce();
    expect(await chunksOf(id)).toMatchObject([{ text: 'new words' }]);
  });

  it('says why one document cannot be cut, and cuts the others', async () => {
    const good = await insertRaw('Good', 'fine');
    const bad = await insertRaw('Bad', 'poison');
    const counting = embedder.countTokens.bind(embedder);
    embedder.countTokens = async (texts) => {
      if (texts.includes('poison')) throw new Error('cannot count this');
      return counting(texts);
    };
    expect(await deriver.runOnce()).toBe(2);
    expect(await chunksOf(good)).toHaveLength(1);
    const errorOf = async () =>
      (await database.query<{ chunking_error: string | null }>('SELECT chunking_error FROM documents WHERE id = $1', [bad])).rows[0]!
        .chunking_error;
    expect(await errorOf()).toBe('cannot count this');
    expect(await deriver.runOnce()).toBe(0);
    await database.query(`UPDATE documents SET content = 'mended' WHERE id = $1`, [bad]);
    expect(await errorOf()).toBeNull();
    expect(await deriver.runOnce()).toBe(1);
    expect(await chunksOf(bad)).toHaveLength(1);
  });

  it('has in the index what is in the rows of the chunks, and nothing else', async () => {
    const source = new DocumentIndexSource(new ChunkRepository(database.unitOfWork));
    const [written] = await upsert(newDocument({ content: '# Oak\n\nHard.', kind: 'faq' }));
    const [id] = await source.listIds(null, 10, database.unitOfWork);
    expect(await source.load([id!], database.unitOfWork)).toEqual([
      { id, text: 'Stairs\nOak\nHard.', payload: { collection: collection.id, kind: 'faq', m_topic: null, m_year: null } },
    ]);
    expect(await source.countByBucket(database.unitOfWork)).toEqual(new Map([[id!.slice(-2), 1]]));
    // Not before the deriver has been there: then the triggers see it as well.
    await database.query(`UPDATE documents SET kind = 'book' WHERE id = $1`, [written!.id]);
    expect((await source.load([id!], database.unitOfWork))[0]!.payload).toMatchObject({ kind: 'faq' });
    await deriver.runOnce();
    expect((await source.load([id!], database.unitOfWork))[0]!.payload).toMatchObject({ kind: 'book' });
  });

  it('keeps the words in the configuration of the language', async () => {
    const id = await insertRaw('Treppen', 'Die Häuser haben Treppen.', 'de');
    const unknown = await insertRaw('Häuser houses', 'x');
    const french = await insertRaw('maisons', 'x', 'fr');
    await deriver.runOnce();
    const wordsOf = async (of: string) =>
      (await database.query<{ words: string[] }>('SELECT tsvector_to_array(search_text) AS words FROM chunks WHERE document_id = $1', [of]))
        .rows[0]!.words;
    expect(await wordsOf(id)).toEqual(['haus', 'trepp']);
    expect(await wordsOf(unknown)).toEqual(['haus', 'hous', 'häuser', 'x']);
    expect(await wordsOf(french)).toEqual(['maisons', 'x']);
  });
});
