import { DomainError } from '#kernel';
import { createTestDatabase, waitFor, type TestDatabase } from '#testing';
import { claimUnchunked } from '../src/claim-unchunked.js';
import { holdCollections } from '../src/hold-collections.js';
import { DocumentStage } from './document-stage.js';

const IDS = ['00000000-0000-4000-8000-000000000001', '00000000-0000-4000-8000-000000000002'] as const;

describe('writers of documents at the same time', () => {
  let database: TestDatabase;
  let stage: DocumentStage;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  beforeEach(async () => {
    stage = await DocumentStage.open(database);
  });
  afterAll(() => database.close());

  /** One statement that does not wait long for locks. */
  const impatient = (sql: string, parameters: readonly unknown[] = []) =>
    stage.database.unitOfWork.run(async (session) => {
      await session.query(`SET LOCAL lock_timeout = '200ms'`);
      return session.query(sql, parameters);
    });
  const isLocked = async (id: string) =>
    (await stage.database.query('SELECT 1 FROM documents WHERE id = $1 FOR UPDATE SKIP LOCKED', [id])).rows.length === 0;
  const somebodyWaits = () =>
    waitFor(
      async () =>
        (await stage.database.query(`SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)).rows
          .length > 0,
      {
        what: 'a statement waits for a lock',
        timeoutMs: 5_000,
      },
    );

  describe('of the same external id', () => {
    it('answer with the id that is stored, whoever was first', async () => {
      const prepared = await stage.prepare(stage.newDocument({ external_id: 'A' }));
      const other = await stage.prepare(stage.newDocument({ external_id: 'A', content: 'Ash is tough.' }));
      const same = await stage.prepare(stage.newDocument({ external_id: 'A', content: 'Ash is tough.' }), stage.newDocument());
      const write = (one: typeof prepared) => stage.database.unitOfWork.run((session) => stage.writer.upsert(session, one));
      const [first] = await write(prepared);
      expect(await write(other)).toEqual([{ id: first!.id, outcome: 'updated' }]);
      expect(await write(same)).toEqual([
        { id: first!.id, outcome: 'unchanged' },
        { id: same.documents[1]!.id, outcome: 'inserted' },
      ]);
      expect(await stage.deriver.runOnce()).toBe(1);
      expect(await stage.textsOf(first!.id)).toEqual(['Ash is tough.']);
    });

    it('make a new document when the one that was meant is called otherwise since', async () => {
      const [first] = await stage.upsert(stage.newDocument({ external_id: 'A' }));
      const prepared = await stage.prepare(stage.newDocument({ external_id: 'A', content: 'Ash is tough.' }));
      await stage.database.query(`UPDATE documents SET external_id = 'B'`);
      const [written] = await stage.database.unitOfWork.run((session) => stage.writer.upsert(session, prepared));
      expect(written).toMatchObject({ outcome: 'inserted' });
      expect(
        await stage.documents.idsByExternalIds(['A', 'B'].map((name) => ({ collection_id: stage.collection.id, external_id: name }))),
      ).toEqual([written!.id, first!.id]);
      expect(await stage.deriver.runOnce()).toBe(1);
      expect([await stage.textsOf(first!.id), await stage.textsOf(written!.id)]).toEqual([['Oak is hard.'], ['Ash is tough.']]);
    });
  });

  describe('lock', () => {
    /** The one with the greater id lies first in the table, and is held by somebody else. */
    const whileTheGreaterIsHeld = async (act: () => Promise<unknown>) => {
      for (const [index, id] of [...IDS.entries()].reverse())
        await stage.database.query(`INSERT INTO documents (id, collection_id, external_id, title, content) VALUES ($1, $2, $3, 't', 'c')`, [
          id,
          stage.collection.id,
          // The other way round than the ids.
          index === 0 ? 'Z' : 'A',
        ]);
      let acting: Promise<unknown> = Promise.resolve();
      await stage.database.unitOfWork.run(async (session) => {
        await session.query('SELECT 1 FROM documents WHERE id = $1 FOR UPDATE', [IDS[1]]);
        acting = act();
        await somebodyWaits();
        expect(await isLocked(IDS[0])).toBe(true);
      });
      await acting;
    };

    it('documents by their ids when they delete them', async () => {
      await whileTheGreaterIsHeld(() => stage.documents.deleteAll([...IDS].reverse()));
      expect((await stage.database.query('SELECT 1 FROM documents')).rows).toEqual([]);
    });

    it('documents by their ids when they replace them', async () => {
      await whileTheGreaterIsHeld(() =>
        stage.upsert(stage.newDocument({ external_id: 'A' }), stage.newDocument({ external_id: 'Z', content: 'Ash.' })),
      );
      expect([await stage.textsOf(IDS[0]), await stage.textsOf(IDS[1])]).toEqual([['Ash.'], ['Oak is hard.']]);
    });

    it('their collections before the documents, so that settings change before or after', async () => {
      const { id, version } = stage.collection;
      await stage.database.unitOfWork.run(async (session) => {
        expect(await holdCollections(session, new Map([[id, version]]), null)).toEqual(new Set([id]));
        await expect(impatient('UPDATE collections SET chunk_tokens = 100')).rejects.toMatchObject({ code: 'database.busy' });
      });
      await impatient('UPDATE collections SET chunk_tokens = 100');
      const [written] = await stage.upsert(stage.newDocument());
      let deleting: Promise<string[]> = Promise.resolve([]);
      await stage.database.unitOfWork.run(async (session) => {
        await session.query('SELECT 1 FROM collections FOR UPDATE');
        deleting = stage.documents.deleteAll([written!.id]);
        await somebodyWaits();
        expect(await isLocked(written!.id)).toBe(false);
      });
      expect(await deleting).toEqual([written!.id]);
    });
  });

  it('write new documents in the order of their names', async () => {
    const names = ['C', 'A', 'B'];
    const prepared = await stage.prepare(...names.map((name) => stage.newDocument({ external_id: name })));
    const seen: unknown[] = [];
    await stage.database.unitOfWork.run((session) =>
      stage.writer.upsert(
        {
          query: (sql, parameters) => {
            if (sql.includes('INSERT INTO documents')) seen.push(parameters?.find((one) => Array.isArray(one) && one.includes('A')));
            return session.query(sql, parameters);
          },
        },
        prepared,
      ),
    );
    expect(seen).toEqual([['A', 'B', 'C']]);
  });

  describe('that make chunks', () => {
    it('take different documents, and do not wait for each other', async () => {
      await stage.insertRaw('A', 'a');
      await stage.insertRaw('B', 'b');
      await stage.database.unitOfWork.run(async (session) => {
        const [first] = await claimUnchunked(session, 1, 60_000);
        const others = await stage.database.unitOfWork.run(async (other) => {
          await other.query(`SET LOCAL lock_timeout = '200ms'`);
          return claimUnchunked(other, 10, 60_000);
        });
        expect([first, ...others].map((one) => one!.document.title)).toEqual(['A', 'B']);
      });
    });

    it('give them back when the settings have changed meanwhile', async () => {
      const id = await stage.insertRaw('A', 'a');
      stage.onCount(() => stage.database.query('UPDATE collections SET chunk_tokens = 100'));
      await stage.deriver.runOnce();
      expect(await stage.textsOf(id)).toEqual([]);
      expect(await stage.deriver.runOnce()).toBe(1);
      expect(await stage.textsOf(id)).toEqual(['a']);
    });

    it('give back what is left when the model goes away in the middle of one by one', async () => {
      await stage.insertRaw('Bad', 'poison');
      const id = await stage.insertRaw('Good', 'fine');
      const counting = stage.embedder.countTokens.bind(stage.embedder);
      stage.embedder.countTokens = async (texts) => {
        if (texts.includes('poison')) throw new Error('cannot count this');
        throw new DomainError('search.embedder-unavailable');
      };
      await expect(stage.deriver.runOnce()).rejects.toMatchObject({ code: 'search.embedder-unavailable' });
      stage.embedder.countTokens = counting;
      expect(await stage.deriver.runOnce()).toBe(1);
      expect(await stage.textsOf(id)).toEqual(['fine']);
    });

    it('do not hold a failure against another version of the document', async () => {
      const id = await stage.insertRaw('A', 'poison');
      const counting = stage.embedder.countTokens.bind(stage.embedder);
      stage.embedder.countTokens = async (texts) => {
        if (!texts.includes('poison')) return counting(texts);
        await stage.database.query(`UPDATE documents SET content = 'mended'`);
        throw new Error('cannot count this');
      };
      await stage.deriver.runOnce();
      expect(await stage.documents.findChunkingError(id)).toBeNull();
      expect(await stage.deriver.runOnce()).toBe(1);
      expect(await stage.textsOf(id)).toEqual(['mended']);
    });
  });
});
