import { parse } from 'csv-parse/sync';
import { startHttp, type HttpHarness, type Json } from './http-harness.js';

const DOCUMENTS = '/api/v1/documents';
const PROJECTS = '/api/v1/projects';
const JOBS = '/api/v1/jobs';

/** Texts that a spreadsheet would run, or that CSV could tear. */
const HOSTILE = ['=1+1', '+49 89', '-1', '@SUM(A1)', '\tx', "'=quoted", "''x", 'a "b", c', 'two\nlines', 'a;b', "'Tis", 'ＡＢＣ', '＝1'];

describe('files of documents, and exports', () => {
  let http: HttpHarness;
  let collectionId: string;
  beforeAll(async () => {
    http = await startHttp({ IMPORT_MAX_LINE_BYTES: '50000' });
  });
  afterAll(() => http.close());
  beforeEach(async () => {
    await http.database.query('TRUNCATE projects, collections, ingestion_jobs CASCADE');
    collectionId = (await http.send('POST', '/api/v1/collections', { payload: { name: 'faq', metadata_keys: { year: 'number' } } })).body
      .id;
    http.jobs.entries.length = 0;
  });

  const imported = async (path: string, payload: string | Buffer, query: string, type: string): Promise<Json> => {
    const { status, body, text } = await http.send('POST', `${path}/import${query}`, { payload, headers: { 'content-type': type } });
    if (status !== 202) throw new Error(`import answered ${status}: ${text}`);
    await http.runJobs();
    return (await http.send('GET', `${JOBS}/${body.id}`)).body;
  };
  const problemsOf = async (id: string): Promise<Json[]> => (await http.send('GET', `${JOBS}/${id}/problems`)).body.items;
  const documents = async (): Promise<Json[]> => (await http.send('GET', `${DOCUMENTS}?sort=title&limit=100`)).body.items;
  const exported = async (path: string, query = ''): Promise<string> => {
    const { status, text } = await http.send('GET', `${path}/export${query}`);
    expect(status).toBe(200);
    return text;
  };

  it('takes one pair of question and answer per row, with its chunks', async () => {
    const file = 'question,answer,external_id,metadata\nWhich wood?,Larch.,1,"{""year"":2024}"\nWhich oil?,Linseed.,2,\n';
    const job = await imported(DOCUMENTS, file, '?collection=faq', 'text/csv');
    expect(job).toMatchObject({ state: 'done', collection_id: collectionId, progress: { lines: 2, inserted: 2, rejected: 0 } });
    expect(await documents()).toEqual([
      expect.objectContaining({ title: 'Which oil?', content: 'Linseed.', collection: 'faq', metadata: {} }),
      expect.objectContaining({ title: 'Which wood?', content: 'Larch.', external_id: '1', metadata: { year: 2024 }, version: 1 }),
    ]);
    const { rows } = await http.database.query('SELECT count(*)::int AS chunks FROM chunks');
    const again = await imported(DOCUMENTS, file.replace('Linseed', 'Tung'), `?collection=${collectionId}`, 'text/csv');
    expect(again.progress).toMatchObject({ inserted: 0, updated: 1, unchanged: 1 });
    expect((await http.database.query('SELECT count(*)::int AS chunks FROM chunks')).rows).toEqual(rows);
  });

  it('takes question and answer in NDJSON as well, and a collection per row', async () => {
    const file = [
      { collection: 'faq', question: 'Q', answer: 'A', external_id: 'x' },
      { collection: collectionId, title: 'T', content: 'C', external_id: 'x' },
      { collection: 'none', title: 'T', content: 'C' },
      { title: 'T', content: 'C' },
      { collection: 'faq', title: 'T', content: 'C', metadata: { year: 'soon' } },
      { collection: 'faq', title: 'T', content: '', metadata: { year: 1 } },
      { collection: 'faq', title: 'T', question: 'Q', content: 'C' },
    ];
    const job = await imported(DOCUMENTS, file.map((row) => JSON.stringify(row)).join('\n'), '', 'application/x-ndjson');
    expect(job.progress).toMatchObject({ lines: 7, accepted: 1, rejected: 6 });
    expect((await problemsOf(job.id)).map((problem) => [problem.line, problem.pointer, problem.code])).toEqual([
      [2, '/external_id', 'duplicate-external-id'],
      [3, '/collection', 'unknown-collection'],
      [4, '/collection', 'required'],
      [5, '/metadata/year', expect.any(String)],
      [6, '/content', 'too-short'],
      [7, '/question', 'unknown-field'],
    ]);
  });

  it('takes a Markdown or text file as one document, and replaces it by its name', async () => {
    const first = await imported(DOCUMENTS, '\ufeff# Oak\n\nHard.', '?collection=faq&file_name=oak.md', 'text/markdown');
    expect(first.progress).toMatchObject({ lines: 1, inserted: 1 });
    const second = await imported(DOCUMENTS, '# Oak\n\nVery hard.', '?collection=faq&file_name=oak.md', 'text/markdown');
    expect(second.progress).toMatchObject({ updated: 1 });
    await imported(DOCUMENTS, 'Light.', '?collection=faq&file_name=spruce.txt', 'text/plain');
    expect((await documents()).map(({ title, content, external_id }) => [title, content, external_id])).toEqual([
      ['Oak', '# Oak\n\nVery hard.', 'oak.md'],
      ['spruce', 'Light.', 'spruce.txt'],
    ]);
    const nameless = await imported(DOCUMENTS, 'Light.', '?collection=faq', 'text/plain');
    expect(await problemsOf(nameless.id)).toEqual([expect.objectContaining({ line: 1, pointer: '/title', code: 'required' })]);
  });

  it.each([
    ['too long', Buffer.from(`# T\n${'x'.repeat(60_000)}`), 'too-long'],
    ['of Latin-1', Buffer.from('# Tür', 'latin1'), 'not-utf8'],
    ['with a NUL', Buffer.from('# T\0r'), 'nul'],
    ['blank', Buffer.from(' \n '), 'blank'],
  ])('reports a text file %s', async (_name, file, code) => {
    const job = await imported(DOCUMENTS, file, '?collection=faq&file_name=a.md', 'text/markdown');
    expect((await problemsOf(job.id)).map((problem) => problem.code)).toContain(code);
    expect(await documents()).toEqual([]);
  });

  it('refuses a collection that does not exist before it takes the file', async () => {
    const { status, body } = await http.send('POST', `${DOCUMENTS}/import?collection=none`, {
      payload: 'x',
      headers: { 'content-type': 'text/csv' },
    });
    expect([status, body.code, body.errors]).toEqual([422, 'collections.unknown', [expect.objectContaining({ pointer: '?collection' })]]);
    expect((await http.database.query('SELECT 1 FROM ingestion_jobs')).rowCount).toBe(0);
    expect((await http.send('GET', `${DOCUMENTS}/export?collection=none`)).status).toBe(422);
  });

  it('counts a dry run of documents, chunks and all, and writes nothing', async () => {
    const job = await imported(DOCUMENTS, 'title,content\nA,B\n', '?collection=faq&dry_run=true', 'text/csv');
    expect(job.progress).toMatchObject({ inserted: 1 });
    expect((await http.database.query('SELECT 1 FROM documents UNION ALL SELECT 1 FROM chunks')).rowCount).toBe(0);
  });

  describe('exports', () => {
    const fillProjects = async (): Promise<void> => {
      for (const [n, text] of HOSTILE.entries()) {
        await http.create({
          name: `n${text.trim()}`,
          description: text,
          external_id: `x-${n}`,
          ...(n % 2 === 0 ? { final_price: n + 0.5, region: 'Tyrol' } : {}),
        });
      }
    };

    it('have all columns, a type and a name, and the filters of the list', async () => {
      await fillProjects();
      const reply = await http.send('GET', `${PROJECTS}/export?format=csv&region=Tyrol`, { headers: { accept: 'text/csv' } });
      expect([reply.status, reply.headers['content-type'], reply.headers['content-disposition']]).toEqual([
        200,
        'text/csv; charset=utf-8; header=present',
        'attachment; filename="projects.csv"',
      ]);
      const [header, ...rows] = parse(reply.text, { record_delimiter: '\r\n' });
      expect(header).toEqual(Object.keys((await http.send('GET', `${PROJECTS}?limit=1`)).body.items[0]));
      expect(rows).toHaveLength(7);
      const lines = (await exported(PROJECTS))
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Json);
      expect(lines).toEqual((await http.send('GET', `${PROJECTS}?limit=100&sort=created_at`)).body.items);
      expect(await exported(PROJECTS, '?external_id=none')).toBe('');
      expect(await exported(PROJECTS, '?external_id=none&format=csv')).toMatch(/^id,name,[a-z_,]+\r\n$/);
    });

    it.each(['?format=xml', '?limit=1', '?sort=name', '?cursor=x', '?region='])('refuse %s', async (query) => {
      expect((await http.send('GET', `${PROJECTS}/export${query}`)).status).toBe(400);
    });

    it.each(['csv', 'ndjson'])('of projects as %s come back as they were, cell for cell', async (format) => {
      await fillProjects();
      const file = await exported(PROJECTS, `?format=${format}`);
      if (format === 'csv') expect(file).not.toMatch(/(^|,)"?[=+@\t＝-]/m);
      const before = (await http.send('GET', `${PROJECTS}?limit=100&sort=created_at`)).body.items;
      const type = format === 'csv' ? 'text/csv' : 'application/x-ndjson';
      // The same rows: nothing is written.
      expect((await imported(PROJECTS, file, '', type)).progress).toMatchObject({ unchanged: HOSTILE.length, rejected: 0 });
      await http.database.query('TRUNCATE projects');
      expect((await imported(PROJECTS, file, '', type)).progress).toMatchObject({ inserted: HOSTILE.length, rejected: 0 });
      const own = ({ name, description, final_price, region, external_id }: Json) => [name, description, final_price, region, external_id];
      const after = (await http.send('GET', `${PROJECTS}?limit=100`)).body.items;
      expect(after.map(own).sort()).toEqual(before.map(own).sort());
    });

    it.each(['csv', 'ndjson'])('of documents as %s come back as they were', async (format) => {
      const rows = HOSTILE.map((content, n) =>
        JSON.stringify({ collection: 'faq', title: `t${n}`, content, external_id: String(n), metadata: { year: n, tags: ['=1'] } }),
      );
      await imported(DOCUMENTS, rows.join('\n'), '', 'application/x-ndjson');
      const before = await documents();
      const file = await exported(DOCUMENTS, `?format=${format}&collection=faq`);
      const type = format === 'csv' ? 'text/csv' : 'application/x-ndjson';
      expect((await imported(DOCUMENTS, file, '', type)).progress).toMatchObject({ unchanged: HOSTILE.length, rejected: 0 });
      await http.database.query('DELETE FROM documents');
      expect((await imported(DOCUMENTS, file, '', type)).progress).toMatchObject({ inserted: HOSTILE.length, rejected: 0 });
      const own = ({ title, content, metadata, external_id }: Json) => [title, content, metadata, external_id];
      expect((await documents()).map(own)).toEqual(before.map(own));
    });

    it('have every row once over many pages, though others write meanwhile', async () => {
      await http.database.query(
        `INSERT INTO projects (name, description, created_at) SELECT 'n' || n, 'd', now() - n % 7 * interval '1 day' FROM generate_series(1, 900) n`,
      );
      const exporting = exported(PROJECTS);
      await http.database.query(`UPDATE projects SET name = 'changed'`);
      const ids = (await exporting)
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as Json).id as string);
      expect([ids.length, new Set(ids).size]).toEqual([900, 900]);
    });
  });
});
