import { ImportRunner, OpenStreams } from '#ingestion';
import { waitFor } from '#testing';
import { connect, type AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { startHttp, type HttpHarness, type Json, type Reply } from './http-harness.js';

const IMPORT = '/api/v1/projects/import';
const JOBS = '/api/v1/jobs';
const UNKNOWN_ID = '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11';
const NDJSON = 'application/x-ndjson';
/** As the rows of one transaction are counted where the batches are made. */
const BATCH_ROWS = 200;

const line = (n: number, fields: Record<string, unknown> = {}) =>
  JSON.stringify({ name: `Gate ${n}`, description: `Garden gate number ${n}`, external_id: `g-${n}`, ...fields });
const lines = (count: number, fields: Record<string, unknown> = {}) =>
  Array.from({ length: count }, (_, n) => `${line(n + 1, fields)}\n`).join('');

describe('imports over HTTP', () => {
  let http: HttpHarness;
  beforeAll(async () => {
    http = await startHttp({ IMPORT_MAX_BYTES: '2000000', IMPORT_MAX_ROWS: '3000', IMPORT_MAX_LINE_BYTES: '50000' });
  });
  afterAll(() => http.close());
  beforeEach(async () => {
    await http.database.query('TRUNCATE projects');
    await http.database.query('TRUNCATE ingestion_jobs CASCADE');
    http.jobs.entries.length = 0;
  });

  const upload = (payload: string | Buffer, query = '', type = NDJSON): Promise<Reply> =>
    http.send('POST', `${IMPORT}${query}`, { payload, headers: { 'content-type': type } });
  const look = async (id: string): Promise<Json> => (await http.send('GET', `${JOBS}/${id}`)).body;
  const problemsOf = async (id: string): Promise<Json[]> => (await http.send('GET', `${JOBS}/${id}/problems`)).body.items;
  /** Uploads, runs, and gives the job as it is then. */
  const imported = async (payload: string | Buffer, query = '', type = NDJSON): Promise<Json> => {
    const { status, body } = await upload(payload, query, type);
    expect(status).toBe(202);
    await http.runJobs();
    return look(body.id);
  };
  const rows = async () =>
    (
      await http.database.query<{ external_id: string; name: string; version: number }>(
        'SELECT external_id, name, version FROM projects ORDER BY external_id',
      )
    ).rows;
  const staged = async () =>
    (await http.database.query('SELECT 1 FROM ingestion_pieces UNION ALL SELECT 1 FROM ingestion_external_ids')).rowCount;

  it('stores the file, answers 202 with the job, and reads it afterwards', async () => {
    const { status, headers, body } = await upload(lines(3), '?file_name=gates.ndjson');
    expect([status, headers['location']]).toEqual([202, `${JOBS}/${body.id}`]);
    expect(body).toMatchObject({ kind: 'projects', format: 'ndjson', state: 'queued', file_name: 'gates.ndjson', dry_run: false });
    expect(body.sha256).toMatch(/^[0-9a-f]{64}$/);
    expect(await rows()).toEqual([]);
    const wakesBefore = http.directory.wakes;
    await http.runJobs();
    const job = await look(body.id);
    expect(job).toMatchObject({ state: 'done', error: null, notice: null, problems: { found: 0 }, index_pending: 0 });
    expect(job.progress).toMatchObject({ lines: 3, accepted: 3, inserted: 3, updated: 0, unchanged: 0, rejected: 0, eta_seconds: null });
    expect(job.progress.bytes).toBe(job.progress.total_bytes);
    expect(job.progress.rate_per_second).toBeGreaterThan(0);
    expect((await rows()).map(({ external_id }) => external_id)).toEqual(['g-1', 'g-2', 'g-3']);
    expect(http.directory.wakes).toBe(wakesBefore + 1);
    expect(await staged()).toBe(0);
  });

  it('replaces by external id, and leaves equal rows alone', async () => {
    await imported(lines(3));
    const { progress } = await imported(`${line(1)}\n${line(2, { name: 'Door' })}\n${line(4)}`);
    expect(progress).toMatchObject({ lines: 3, accepted: 3, inserted: 1, updated: 1, unchanged: 1, rejected: 0 });
    expect(await rows()).toEqual([
      { external_id: 'g-1', name: 'Gate 1', version: 1 },
      { external_id: 'g-2', name: 'Door', version: 2 },
      { external_id: 'g-3', name: 'Gate 3', version: 1 },
      { external_id: 'g-4', name: 'Gate 4', version: 1 },
    ]);
  });

  it('always inserts rows without external id', async () => {
    const file = lines(2, { external_id: undefined });
    await imported(file);
    const { progress } = await imported(file);
    expect(progress).toMatchObject({ inserted: 2, unchanged: 0 });
    expect(await rows()).toHaveLength(4);
  });

  it('refuses a line with the words of the API, and no other line', async () => {
    const bad = [
      '{"name":',
      '[]',
      line(5, { complexity: 9, nonsense: 1 }),
      line(6, { name: '\0' }),
      '{"name":"a","name":"b","description":"c"}',
      '{"__proto__":{"polluted":true},"name":"a","description":"b"}',
      `{"constructor":{"prototype":{"polluted":true}},"name":"a","description":"b"}`,
      '['.repeat(100),
      line(7, { description: 'x'.repeat(60_000) }),
      line(8, { external_id: 'g-1' }),
    ];
    const job = await imported([line(1), '', ...bad, line(2)].join('\r\n'));
    expect(job).toMatchObject({ state: 'done', progress: { lines: 12, accepted: 2, rejected: 10 } });
    expect(await problemsOf(job.id)).toEqual([
      { line: 3, pointer: '', code: 'malformed-json', detail: 'is not valid JSON' },
      { line: 4, pointer: '', code: 'wrong-type', detail: 'must be one object, not a list' },
      { line: 5, pointer: '/complexity', code: 'too-large', detail: 'must be at most 5' },
      { line: 5, pointer: '/nonsense', code: 'unknown-field', detail: 'is not known here' },
      { line: 6, pointer: '/name', code: 'nul', detail: 'must not contain the NUL character' },
      { line: 7, pointer: '', code: 'duplicate-name', detail: 'must not have the same name twice in one object' },
      { line: 8, pointer: '', code: 'forbidden-name', detail: 'must not use the name __proto__' },
      { line: 9, pointer: '/constructor', code: 'unknown-field', detail: 'is not known here' },
      { line: 10, pointer: '', code: 'too-deep', detail: expect.any(String) },
      { line: 11, pointer: '', code: 'too-long', detail: expect.stringContaining('IMPORT_MAX_LINE_BYTES') },
      { line: 12, pointer: '/external_id', code: 'duplicate-external-id', detail: 'is that of line 1 already' },
    ]);
    expect(await rows()).toHaveLength(2);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('finds an external id again that another batch has named', async () => {
    const job = await imported(`${lines(600)}${line(3, { name: 'late' })}\n${line(601)}\n`);
    expect(job.progress).toMatchObject({ lines: 602, accepted: 601, rejected: 1 });
    expect(await problemsOf(job.id)).toEqual([
      { line: 601, pointer: '/external_id', code: 'duplicate-external-id', detail: 'is that of line 3 already' },
    ]);
    expect((await rows()).find(({ external_id }) => external_id === 'g-3')).toMatchObject({ name: 'Gate 3', version: 1 });
  });

  describe('CSV', () => {
    it('reads columns by their names, whatever the delimiter, with quotes, line breaks and a byte order mark', async () => {
      const file =
        '\ufeffexternal_id;name;description;final_price;completed_on\r\n1;"Oak; ""solid""";"two\nlines";12.5;2024-02-29\r\n2;B;C;;\r\n';
      const { progress } = await imported(file, '', 'text/csv');
      expect(progress).toMatchObject({ lines: 2, accepted: 2 });
      const { body } = await http.send('GET', '/api/v1/projects?external_id=1');
      expect(body.items[0]).toMatchObject({
        name: 'Oak; "solid"',
        description: 'two\nlines',
        final_price: 12.5,
        completed_on: '2024-02-29',
      });
    });

    it('reports a bad line by its number, and takes the others', async () => {
      const file = ['name,description,complexity', 'A,B,1', 'A,B', 'A,B,C,D', 'A,B,x', 'A,"B', 'A"B,C,2', 'A,B,2'].join('\n');
      const job = await imported(file, '?delimiter=,', 'text/csv');
      expect(job.progress).toMatchObject({ lines: 7, accepted: 2, rejected: 5 });
      expect((await problemsOf(job.id)).map((problem) => [problem.line, problem.pointer, problem.code])).toEqual([
        [3, '', 'wrong-column-count'],
        [4, '', 'wrong-column-count'],
        [5, '/complexity', 'wrong-type'],
        [6, '', 'quote-not-closed'],
        [7, '', 'bad-quotes'],
      ]);
    });

    it('names a column that is not known or there twice, and reads the others', async () => {
      const file = 'name,__proto__,description,constructor,name,Region\nA,{},B,x,C,Tyrol\n';
      const job = await imported(file, '', 'text/csv');
      expect(job.progress).toMatchObject({ lines: 1, accepted: 1, rejected: 0 });
      expect((await problemsOf(job.id)).map((problem) => [problem.line, problem.pointer, problem.code])).toEqual([
        [1, '/__proto__', 'unknown-column'],
        [1, '/constructor', 'unknown-column'],
        [1, '/name', 'duplicate-column'],
        [1, '/Region', 'unknown-column'],
      ]);
      expect(await rows()).toEqual([expect.objectContaining({ name: 'A' })]);
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    });

    it.each([
      ['without a needed column', 'name;price\nA;1\n', 'missing-column', '/description'],
      ['without a header', '', 'no-header', ''],
    ])('a file %s fails as a whole', async (_name, file, code, pointer) => {
      const job = await imported(file === '' ? '\n\n' : file, '', 'text/csv');
      expect(job).toMatchObject({ state: 'failed', error: { code }, notice: 'No row was written' });
      expect(await problemsOf(job.id)).toEqual([expect.objectContaining({ pointer, code })]);
      expect(await staged()).toBe(0);
    });
  });

  describe('encodings', () => {
    it('refuses UTF-16 as a whole', async () => {
      for (const file of [Buffer.from(`\ufeff${lines(2)}`, 'utf16le'), Buffer.from(lines(2), 'utf16le')]) {
        const job = await imported(file);
        expect(job).toMatchObject({ state: 'failed', error: { code: 'not-utf8', detail: expect.stringContaining('UTF-16') } });
      }
      expect(await rows()).toEqual([]);
    });

    it.each([
      [NDJSON, Buffer.from(`${line(1)}\n${line(2, { name: 'Tür' })}\n${line(3)}\n`, 'latin1'), 2],
      ['text/csv', Buffer.from('name,description\nA,B\nTür,B\nA,C\n', 'latin1'), 3],
    ])('reports a line of Latin-1 in %s, and takes the others', async (type, file, at) => {
      const job = await imported(file, '', type);
      expect(job.progress).toMatchObject({ lines: 3, accepted: 2, rejected: 1 });
      expect(await problemsOf(job.id)).toEqual([
        { line: at, pointer: '', code: 'not-utf8', detail: expect.stringContaining('must be saved as UTF-8') },
      ]);
    });

    it('names fields and columns that cannot be stored as they are', async () => {
      const job = await imported(`{"\\u0000":1,"\\ud800":1,"name":"A","description":"B"}\n${line(1)}`);
      expect(job).toMatchObject({ state: 'done', progress: { accepted: 1, rejected: 1 } });
      expect((await problemsOf(job.id)).map(({ pointer }) => pointer)).toEqual(['/\ufffd', '/\ufffd']);
      const other = await imported('name,description,x\0y\nA,B,\n', '', 'text/csv');
      expect(other).toMatchObject({ state: 'done', progress: { accepted: 1 } });
      expect(await problemsOf(other.id)).toEqual([expect.objectContaining({ pointer: '/x\ufffdy', code: 'unknown-column' })]);
    });

    it('takes no NUL and no half of a surrogate pair', async () => {
      const job = await imported(`name,description\nA\0,B\nC,D\n`, '', 'text/csv');
      expect(await problemsOf(job.id)).toEqual([expect.objectContaining({ line: 2, pointer: '/name', code: 'nul' })]);
      const other = await imported(`{"name":"\\ud800","description":"x"}\n${line(1)}`);
      expect(await problemsOf(other.id)).toEqual([expect.objectContaining({ line: 1, pointer: '/name', code: 'lone-surrogate' })]);
    });
  });

  describe('limits', () => {
    it('refuses an empty file, and one that is too large, and leaves nothing of them', async () => {
      for (const payload of ['', Buffer.alloc(0)]) {
        const { status, body } = await upload(payload);
        expect([status, body.code, body.errors]).toEqual([400, 'request.invalid', [expect.objectContaining({ code: 'empty' })]]);
      }
      const declared = await upload('x'.repeat(2_000_001));
      expect([declared.status, declared.body.code]).toEqual([413, 'request.body-too-large']);
      expect(declared.body.detail).toContain('2000000');
      expect((await http.database.query('SELECT 1 FROM ingestion_jobs')).rowCount).toBe(0);
    });

    it('fails at the most rows, and keeps those before', async () => {
      const job = await imported(lines(3_001));
      expect(job).toMatchObject({
        state: 'failed',
        error: { code: 'too-many-rows', detail: expect.stringContaining('line 3001') },
        notice: '3000 rows had been written before, and stay',
        progress: { lines: 3_000, accepted: 3_000, bytes: Buffer.byteLength(lines(3_000)) },
      });
      expect(await problemsOf(job.id)).toEqual([expect.objectContaining({ line: 3_001, code: 'too-many-rows' })]);
      expect(await staged()).toBe(0);
      expect(await imported(lines(3_000))).toMatchObject({ state: 'done', progress: { unchanged: 3_000 } });
    });

    it('keeps a thousand problems and counts the others', async () => {
      const job = await imported('{}\n'.repeat(700));
      expect(job).toMatchObject({ progress: { lines: 700, rejected: 700 }, problems: { found: 1_400, stored: 1_000, left_out: 400 } });
      const first = (await http.send('GET', `${JOBS}/${job.id}/problems?limit=1000`)).body;
      expect([first.items.length, first.next_cursor, first.left_out]).toEqual([1_000, null, 400]);
      const page = (await http.send('GET', `${JOBS}/${job.id}/problems?limit=2`)).body;
      expect(page.items.map((problem: Json) => problem.line)).toEqual([1, 1]);
      const second = (await http.send('GET', `${JOBS}/${job.id}/problems?limit=2&cursor=${page.next_cursor}`)).body;
      expect(second.items.map((problem: Json) => problem.line)).toEqual([2, 2]);
    });

    it('lets twenty imports be open', async () => {
      for (let n = 0; n < 20; n++) expect((await upload(lines(1))).status).toBe(202);
      const { status, body, headers } = await upload(lines(1));
      expect([status, body.code, headers['retry-after']]).toEqual([429, 'imports.too-many', '1']);
      await http.runJobs();
      expect((await upload(lines(1))).status).toBe(202);
    });
  });

  it('lets no more than twenty be open, however many come at once, nor by a resume', async () => {
    const failing = await upload('name,description\nA,B\n', '', 'text/csv');
    await http.database.query(`UPDATE ingestion_jobs SET state = 'failed' WHERE id = $1`, [failing.body.id]);
    const replies = await Promise.all(Array.from({ length: 30 }, () => upload(lines(1))));
    expect(replies.filter(({ status }) => status === 202)).toHaveLength(20);
    const { status, body } = await http.send('POST', `${JOBS}/${failing.body.id}/resume`);
    expect([status, body.code, (await look(failing.body.id)).state]).toEqual([429, 'imports.too-many', 'failed']);
  });

  it.each([
    ['application/json', '{}'],
    ['text/plain', 'x'],
    ['text/markdown', 'x'],
    ['application/octet-stream', 'x'],
    ['application/x-www-form-urlencoded', 'x'],
    ['multipart/form-data; boundary=x', 'x'],
    ['text/csv; charset=iso-8859-1', 'x'],
  ])('a body of %s is 415', async (type, payload) => {
    const { status, body } = await upload(payload, '', type);
    expect([status, body.code]).toEqual([415, 'request.unsupported-media-type']);
    expect((await upload('name,description\nA,B\n', '', 'text/csv; charset="UTF-8"; header=present')).status).toBe(202);
  });

  it('takes the format from the parameter where it is given', async () => {
    expect((await imported(lines(2), '?format=ndjson', 'application/octet-stream')).progress.accepted).toBe(2);
  });

  it('does not unpack, and does not take a file where JSON belongs', async () => {
    const packed = await http.send('POST', IMPORT, { payload: 'x', headers: { 'content-type': NDJSON, 'content-encoding': 'gzip' } });
    expect(packed.status).toBe(415);
    for (const type of [NDJSON, 'text/csv']) {
      const reply = await http.send('POST', '/api/v1/projects', { payload: line(1), headers: { 'content-type': type } });
      expect([reply.status, reply.body.code]).toEqual([415, 'request.unsupported-media-type']);
    }
  });

  it.each([
    '?format=xml',
    '?delimiter=x',
    '?dry_run=1',
    '?mode=insert',
    '?nonsense=1',
    '?collection=x',
    '?format=ndjson&format=csv',
    '?file_name=',
  ])('refuses %s', async (query) => {
    expect((await upload(lines(1), query)).status).toBe(400);
  });

  it('counts what a dry run would do, and does none of it', async () => {
    await imported(lines(1));
    const job = await imported(`${line(1)}\n${line(2)}\n${line(2)}\n{}\n`, '?dry_run=true');
    expect(job).toMatchObject({ state: 'done', dry_run: true, notice: 'A dry run: nothing was written' });
    expect(job.progress).toMatchObject({ lines: 4, accepted: 2, inserted: 1, unchanged: 1, rejected: 2 });
    expect(await rows()).toHaveLength(1);
  });

  describe('cancel', () => {
    it('ends a job that waits, twice with the same answer, and frees its file', async () => {
      const { body } = await upload(lines(5));
      for (let n = 0; n < 2; n++) {
        const { status, body: job } = await http.send('POST', `${JOBS}/${body.id}/cancel`);
        expect([status, job.state, job.notice]).toEqual([200, 'cancelled', 'No row was written']);
      }
      expect(await staged()).toBe(0);
      await http.runJobs();
      expect((await look(body.id)).state).toBe('cancelled');
      expect(await rows()).toEqual([]);
    });

    it('ends a job under way after the batch, keeps what was written, and says so', async () => {
      const { body } = await upload(lines(2_000));
      let batches = 0;
      const wake = http.directory.wake.bind(http.directory);
      http.directory.wake = () => {
        wake();
        if (++batches === 2) void http.send('POST', `${JOBS}/${body.id}/cancel`);
      };
      // The third batch waits for the backlog, so the wish is noted by then.
      http.directory.pending = 0;
      const backlog = http.directory.backlog.bind(http.directory);
      http.directory.backlog = async () => {
        if (batches === 2) await waitForCancel();
        return backlog();
      };
      const waitForCancel = async (): Promise<void> => {
        for (;;) {
          const { rows: found } = await http.database.query<{ wish: boolean }>('SELECT is_cancel_requested AS wish FROM ingestion_jobs');
          if (found[0]!.wish) return;
        }
      };
      await http.runJobs();
      Object.assign(http.directory, { wake, backlog });
      const job = await look(body.id);
      expect(job).toMatchObject({
        state: 'cancelled',
        notice: '400 rows had been written before, and stay',
        progress: { lines: 2 * BATCH_ROWS, inserted: 2 * BATCH_ROWS },
      });
      expect(await rows()).toHaveLength(2 * BATCH_ROWS);
      expect((await http.send('POST', `${JOBS}/${body.id}/cancel`)).body).toEqual(job);
      expect(await staged()).toBe(0);
    });

    it('ends a job that waits for the index, without waiting for it', async () => {
      const { body } = await upload(lines(5));
      const backlog = http.directory.backlog.bind(http.directory);
      let pending = 1_000_000;
      http.directory.backlog = async () => {
        await http.send('POST', `${JOBS}/${body.id}/cancel`);
        return (pending -= 1);
      };
      await http.runJobs();
      Object.assign(http.directory, { backlog });
      expect(await look(body.id)).toMatchObject({ state: 'cancelled', notice: 'No row was written' });
      // A dry run does not wait for it at all.
      http.directory.backlog = async () => (pending -= 1);
      expect(await imported(lines(5), '?dry_run=true')).toMatchObject({ state: 'done', progress: { inserted: 5 } });
      Object.assign(http.directory, { backlog });
    });

    it('ends a job whose process stops meanwhile', async () => {
      const { body } = await upload(lines(2 * BATCH_ROWS));
      const stopping = new AbortController();
      const backlog = http.directory.backlog.bind(http.directory);
      http.directory.backlog = async () => {
        await http.send('POST', `${JOBS}/${body.id}/cancel`);
        stopping.abort(new Error('the process is stopping'));
        return backlog();
      };
      await http.app.get(ImportRunner).run(body.id, stopping.signal);
      Object.assign(http.directory, { backlog });
      expect([(await look(body.id)).state, await staged()]).toEqual(['cancelled', 0]);
    });

    it('leaves a job that is done as it is', async () => {
      const job = await imported(lines(1));
      const { status, body } = await http.send('POST', `${JOBS}/${job.id}/cancel`);
      expect([status, body]).toEqual([200, job]);
    });
  });

  describe('resume', () => {
    it('goes on exactly where a failed job has ended', async () => {
      const { body } = await upload(`${lines(1_200)}{}\n${line(7)}\n`);
      // The batch of row 900 fails, again and again, until the job is given up.
      await http.database.query(`CREATE FUNCTION trip() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN IF NEW.external_id = 'g-900' THEN RAISE EXCEPTION 'tripped'; END IF; RETURN NEW; END $$`);
      await http.database.query('CREATE TRIGGER trip BEFORE INSERT ON projects FOR EACH ROW EXECUTE FUNCTION trip()');
      for (let n = 0; n < 5; n++) await expect(http.runJobs()).rejects.toThrow('tripped');
      await http.runJobs();
      const failed = await look(body.id);
      expect(failed).toMatchObject({ state: 'failed', error: { code: 'internal.error' }, progress: { lines: 4 * BATCH_ROWS } });
      expect(JSON.stringify(failed)).not.toContain('tripped');
      await http.database.query('DROP TRIGGER trip ON projects');
      const resumed = await http.send('POST', `${JOBS}/${body.id}/resume`);
      expect([resumed.status, resumed.body.state]).toEqual([200, 'queued']);
      await http.runJobs();
      const done = await look(body.id);
      expect(done).toMatchObject({ state: 'done', error: null, progress: { lines: 1_202, accepted: 1_200, inserted: 1_200, rejected: 2 } });
      expect((await problemsOf(body.id)).map((problem) => [problem.line, problem.code])).toEqual([
        [1_201, 'required'],
        [1_201, 'required'],
        [1_202, 'duplicate-external-id'],
      ]);
      expect(await rows()).toHaveLength(1_200);
      expect((await rows()).every(({ version }) => version === 1)).toBe(true);
    });

    it('goes on in the middle of a CSV file, and does not double rows without external id', async () => {
      const file = `name;description\n${Array.from({ length: 1_300 }, (_, n) => `Row ${n};"a\nb; ${n}"\n`).join('')}`;
      const { body } = await upload(file, '', 'text/csv');
      const stopping = new AbortController();
      const wake = http.directory.wake.bind(http.directory);
      http.directory.wake = () => {
        wake();
        stopping.abort(new Error('the process is stopping'));
      };
      await expect(http.app.get(ImportRunner).run(body.id, stopping.signal)).rejects.toThrow('stopping');
      http.directory.wake = wake;
      expect(await look(body.id)).toMatchObject({ state: 'queued', progress: { lines: BATCH_ROWS } });
      await http.runJobs();
      expect(await look(body.id)).toMatchObject({ state: 'done', progress: { lines: 1_300, inserted: 1_300, rejected: 0 } });
      const { rows: found } = await http.database.query('SELECT count(DISTINCT name)::int AS names, count(*)::int AS rows FROM projects');
      expect(found).toEqual([{ names: 1_300, rows: 1_300 }]);
    });

    it('refuses a job that has not failed, or whose file is gone', async () => {
      const job = await imported(lines(1));
      const { status, body } = await http.send('POST', `${JOBS}/${job.id}/resume`);
      expect([status, body.code]).toEqual([409, 'jobs.over']);
      const failed = await imported('x\n', '', 'text/csv');
      expect((await http.send('POST', `${JOBS}/${failed.id}/resume`)).status).toBe(409);
      const waiting = (await upload(lines(1))).body;
      expect((await http.send('POST', `${JOBS}/${waiting.id}/resume`)).body.state).toBe('queued');
    });
  });

  it('lists jobs, newest first', async () => {
    const ids = [];
    for (let n = 0; n < 3; n++) ids.unshift((await upload(lines(1))).body.id);
    const first = (await http.send('GET', `${JOBS}?limit=2`)).body;
    expect(first.items.map((job: Json) => job.id)).toEqual(ids.slice(0, 2));
    const second = (await http.send('GET', `${JOBS}?limit=2&cursor=${first.next_cursor}`)).body;
    expect([second.items.map((job: Json) => job.id), second.next_cursor]).toEqual([ids.slice(2), null]);
  });

  it.each([
    ['GET', ''],
    ['GET', '/problems'],
    ['GET', '/events'],
    ['POST', '/cancel'],
    ['POST', '/resume'],
  ])('%s of a job that does not exist%s is 404', async (method, path) => {
    const { status, body } = await http.send(method, `${JOBS}/${UNKNOWN_ID}${path}`);
    expect([status, body.code]).toEqual([404, 'jobs.not-found']);
    expect((await http.send(method, `${JOBS}/x${path}`)).status).toBe(400);
  });

  it('sends the states of a job as events, and ends with the last one', async () => {
    const { body } = await upload(lines(3));
    const following = http.send('GET', `${JOBS}/${body.id}/events`, { headers: { accept: 'text/event-stream', 'last-event-id': '7' } });
    await http.runJobs();
    const { status, headers, text } = await following;
    expect([status, headers['content-type'], headers['cache-control']]).toEqual([200, 'text/event-stream; charset=utf-8', 'no-store']);
    const events = text.trim().split('\n\n');
    expect(events[0]).toMatch(/^retry: \d+$/);
    expect(events.at(-1)).toMatch(/^event: end\ndata: /);
    expect(JSON.parse(events.at(-1)!.split('data: ')[1]!)).toMatchObject({ id: body.id, state: 'done', progress: { lines: 3 } });
  });

  describe('what must not happen', () => {
    /** The next look at the backlog, which is before each batch, does this first. */
    const beforeBatch = (action: () => Promise<unknown>): (() => void) => {
      const backlog = http.directory.backlog.bind(http.directory);
      http.directory.backlog = async () => {
        await action();
        return backlog();
      };
      return () => Object.assign(http.directory, { backlog });
    };

    it('a run that has lost its lease writes nothing any more', async () => {
      const { body } = await upload(lines(1_200));
      let batches = 0;
      const restore = beforeBatch(async () => {
        // Another process takes the job over before the second batch.
        if (++batches === 2) await http.database.query('UPDATE ingestion_jobs SET lease_token = gen_random_uuid()');
      });
      await http.runJobs();
      restore();
      expect(await rows()).toHaveLength(BATCH_ROWS);
      expect(await look(body.id)).toMatchObject({ state: 'running', progress: { lines: BATCH_ROWS } });
    });

    it('a database that is busy is not the fault of the job', async () => {
      const { body } = await upload(lines(10));
      await http.database.query(`CREATE FUNCTION busy() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'busy' USING ERRCODE = '40001'; END $$`);
      await http.database.query('CREATE TRIGGER busy BEFORE INSERT ON projects FOR EACH STATEMENT EXECUTE FUNCTION busy()');
      for (let n = 0; n < 8; n++) await expect(http.runJobs()).rejects.toMatchObject({ code: 'database.busy' });
      expect(await look(body.id)).toMatchObject({ state: 'queued', error: null });
      await http.database.query('DROP TRIGGER busy ON projects');
      await http.runJobs();
      expect(await look(body.id)).toMatchObject({ state: 'done', progress: { inserted: 10 } });
    });

    it('an import that is cancelled at any moment leaves no file behind, and no half of a batch', async () => {
      for (let round = 0; round < 12; round++) {
        const { body } = await upload(lines(1_100, { external_id: undefined }));
        const restore = beforeBatch(async () => (round % 4 === 3 ? http.send('POST', `${JOBS}/${body.id}/cancel`) : undefined));
        const running = http.runJobs();
        if (round % 4 !== 3) await new Promise((resolve) => setTimeout(resolve, round * 7));
        await http.send('POST', `${JOBS}/${body.id}/cancel`);
        await running;
        restore();
        const { state, progress } = await look(body.id);
        expect([round, state]).toEqual([round, expect.stringMatching(/^(cancelled|done)$/)]);
        const { rows: found } = await http.database.query<{ rows: number }>('SELECT count(*)::int AS rows FROM projects');
        expect([found[0]!.rows, await staged()]).toEqual([progress.inserted, 0]);
        await http.database.query('TRUNCATE projects');
      }
    });
  });

  describe('uploads', () => {
    let port: number;
    beforeAll(async () => {
      await http.app.listen(0, '127.0.0.1');
      port = (http.app.getHttpServer().address() as AddressInfo).port;
    });
    const jobs = async () => (await http.database.query('SELECT 1 FROM ingestion_jobs')).rowCount;

    it('that is cut off leaves nothing', async () => {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      socket.write(`POST ${IMPORT} HTTP/1.1\r\nHost: x\r\nContent-Type: ${NDJSON}\r\nContent-Length: 1500000\r\n\r\n`);
      socket.write('x'.repeat(600_000));
      const pieces = async () => (await http.database.query('SELECT 1 FROM ingestion_pieces')).rowCount;
      await waitFor(async () => (await pieces()) === 2, { what: 'two pieces are stored' });
      expect((await http.send('GET', JOBS)).body.items).toEqual([expect.objectContaining({ state: 'uploading' })]);
      socket.destroy();
      await waitFor(async () => (await jobs()) === 0, { what: 'the upload is gone' });
      expect(await pieces()).toBe(0);
    });

    it('that turns out too large is refused, though it did not say its length', async () => {
      const chunks = Readable.from(Array.from({ length: 30 }, () => Buffer.alloc(100_000, 'x')));
      const init = { method: 'POST', body: Readable.toWeb(chunks), duplex: 'half', headers: { 'content-type': NDJSON } };
      const reply = await fetch(`http://127.0.0.1:${port}${IMPORT}`, init as RequestInit);
      expect([reply.status, ((await reply.json()) as Json).code]).toEqual([413, 'request.body-too-large']);
      await waitFor(async () => (await jobs()) === 0, { what: 'the upload is gone' });
    });

    it('that is cancelled while it arrives is refused', async () => {
      const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
      const writer = writable.getWriter();
      const init = { method: 'POST', body: readable, duplex: 'half', headers: { 'content-type': NDJSON } };
      const replying = fetch(`http://127.0.0.1:${port}${IMPORT}`, init as RequestInit);
      await writer.write(Buffer.from(lines(10)));
      const [job] = await waitFor(
        async () => {
          const { items } = (await http.send('GET', JOBS)).body;
          return items.length === 0 ? null : (items as Json[]);
        },
        { what: 'the upload has begun' },
      );
      expect((await http.send('POST', `${JOBS}/${job.id}/cancel`)).body.state).toBe('cancelled');
      await writer.close();
      const reply = await replying;
      expect([reply.status, ((await reply.json()) as Json).code]).toEqual([409, 'jobs.over']);
      expect(await look(job.id)).toMatchObject({ state: 'cancelled', notice: 'No row was written' });
    });

    it('goes through a stream of events that ends when the process stops', async () => {
      const { body } = await upload(lines(1));
      const reply = await fetch(`http://127.0.0.1:${port}${JOBS}/${body.id}/events`);
      const reader = reply.body!.getReader();
      expect(new TextDecoder().decode((await reader.read()).value)).toMatch(/^retry/);
      http.app.get(OpenStreams).onModuleDestroy();
      for (;;) if ((await reader.read()).done) break;
    });
  });
});
