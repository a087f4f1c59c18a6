import { readdirSync } from 'node:fs';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { startHttp, type HttpHarness, type Json, type Reply } from './http-harness.js';

const IMPORT = '/api/v1/projects/import';
const NDJSON = 'application/x-ndjson';
const CSV = 'text/csv';
const MIB = 1_048_576;
const CANCELLED = 200;

/** Files of other kinds, under the names of those that are taken, by the bytes that they begin with. */
const MAGIC: readonly Buffer[] = [
  gzipSync(Buffer.alloc(20_000_000)),
  deflateRawSync(Buffer.alloc(20_000_000)),
  Buffer.from('504b0304140000000800', 'hex'),
  Buffer.from('377abcaf271c0004', 'hex'),
  Buffer.from('526172211a0700', 'hex'),
  Buffer.from('28b52ffd04', 'hex'),
  Buffer.from('fd377a585a00', 'hex'),
  Buffer.from('425a683931', 'hex'),
  Buffer.from('%PDF-1.7\n%\u00e2\u00e3', 'latin1'),
  Buffer.from('d0cf11e0a1b11ae1', 'hex'),
  Buffer.from('89504e470d0a1a0a', 'hex'),
  Buffer.from('ffd8ffe000104a464946', 'hex'),
  Buffer.from('7f454c46020101', 'hex'),
  Buffer.from('4d5a9000', 'hex'),
  Buffer.from('fffe7b000a00', 'hex'),
  Buffer.from('feff007b000a', 'hex'),
  Buffer.from('0000feff0000007b', 'hex'),
  Buffer.from('c080c0ae', 'hex'),
  Buffer.from('<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'),
  Buffer.from('<html><script>alert(1)</script></html>'),
  Buffer.from('\0'.repeat(10_000)),
  Buffer.from('\n'.repeat(10_000)),
  Buffer.from('\r'.repeat(10_000)),
  Buffer.from('#!/bin/sh\nrm -rf /\n'),
];
/** Text that looks right until somebody reads it. */
const TEXTS: readonly string[] = [
  '"'.repeat(40_000),
  'a,'.repeat(20_000),
  ',\n'.repeat(5_000),
  ';;;;;;\n',
  '"a""'.repeat(10_000),
  'name,description\n"' + 'x'.repeat(100_000),
  'name,description\n' + '"",'.repeat(10_000),
  "name,description\n=cmd|' /C calc'!A0,@SUM(1)\n",
  'name,description,__proto__\na,b,c\n',
  'name,description,constructor\na,b,c\n',
  'name'.repeat(10_000) + '\n',
  'name,name,name,description\na,b,c,d\n',
  'name,description\n' + 'a,b\n'.repeat(1_000),
  `${Array.from({ length: 5_000 }, (_, n) => `c${n}`).join(',')}\n`,
  '{"name":"../../etc/passwd","description":"x"}\n',
  '{"__proto__":{"polluted":true},"name":"a","description":"b"}\n',
  '{"name":'.repeat(1_000),
  '['.repeat(40_000),
  '{"a":1}\n'.repeat(1_000),
  '{"name":"a","description":"b","final_price":1e400}\n',
  '{"name":"a","description":"b","external_id":"\\u0000"}\n',
  '{"name":"\\ud800","description":"b"}\n',
  'null\ntrue\n7\n"x"\n[]\n',
  '{}{}{}{}\n',
  '// comment\n{"name":"a"}\n',
  '\ufeff\ufeff{"name":"a","description":"b"}\n',
  '{"name":"a","description":"b"}\u2028{"name":"c","description":"d"}\n',
  '{"name":"a","description":"b"}\r\r\r\n',
];
/** Names are no paths: nothing is ever opened under one. */
const NAMES: readonly string[] = [
  '../../../../tmp/escape.csv',
  '..\\..\\escape.csv',
  '/etc/cron.d/escape',
  'C:\\Windows\\escape.csv',
  '//server/share/escape.csv',
  'file:///etc/passwd',
  '%2e%2e%2fescape.csv',
  '....//....//escape.csv',
  'a\r\nSet-Cookie: a=b',
  '"; rm -rf / #',
  '$(touch escape)',
  '`touch escape`',
  '<script>.csv',
  '.htaccess',
  'CON',
  'a'.repeat(255),
  '\u202evsc.exe',
  "'; DROP TABLE projects; --",
  '-rf',
  '~/.ssh/authorized_keys',
];

describe('files that are not what they seem', () => {
  let http: HttpHarness;
  beforeAll(async () => {
    http = await startHttp({
      IMPORT_MAX_BYTES: '2000000',
      IMPORT_MAX_ROWS: '3000',
      IMPORT_MAX_LINE_BYTES: '50000',
      RATE_LIMIT_ADDRESS_PER_MINUTE: '0',
    });
  });
  afterAll(() => http.close());

  const upload = (payload: Buffer | string, type: string, query = ''): Promise<Reply> =>
    http.send('POST', `${IMPORT}${query}`, { payload, headers: { 'content-type': type } });
  const leftOver = async () =>
    (await http.database.query('SELECT 1 FROM ingestion_pieces UNION ALL SELECT 1 FROM ingestion_external_ids')).rowCount;

  it('are read as text, in bounded pieces, and written nowhere: 150 files', async () => {
    const folders = ['.', '..', '/tmp', '/etc'].map((folder): [string, string[]] => [folder, readdirSync(folder)]);
    const rssBefore = process.memoryUsage().rss;
    const files = [
      ...MAGIC.flatMap((file) =>
        [NDJSON, CSV].flatMap((type) => [[file, type, ''] as const, [Buffer.concat([file, file]), type, ''] as const]),
      ),
      ...TEXTS.flatMap((text) => [NDJSON, CSV].map((type) => [Buffer.from(text), type, ''] as const)),
      ...NAMES.map((name) => [Buffer.from('name,description\nA,B\n'), CSV, `?file_name=${encodeURIComponent(name)}`] as const),
    ];
    expect(files.length).toBeGreaterThan(150);
    for (const [file, type, query] of files) {
      const { status, body } = await upload(file, type, query);
      const what = [type, query, file.subarray(0, 20).toString('latin1')];
      expect([...what, [202, 400, 413].includes(status)]).toEqual([...what, true]);
      if (status !== 202) continue;
      await http.runJobs();
      const job = (await http.send('GET', `/api/v1/jobs/${body.id}`)).body as Json;
      expect([...what, ['done', 'failed'].includes(job.state), job.error?.code === 'internal.error']).toEqual([...what, true, false]);
    }
    expect(process.memoryUsage().rss - rssBefore).toBeLessThan(300 * MIB);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    for (const [folder, before] of folders) {
      const added = readdirSync(folder).filter((name) => !before.includes(name));
      expect(added.filter((name) => /escape|passwd|authorized/.test(name))).toEqual([]);
    }
    expect(await leftOver()).toBe(0);
  }, 120_000);

  it(`leave nothing when they are sent and called off ${CANCELLED} times`, async () => {
    const before = (await http.database.query('SELECT 1 FROM projects')).rowCount;
    for (let n = 0; n < CANCELLED; n++) {
      const { status, body } = await upload(`{"name":"n","description":"d","external_id":"cancelled-${n}"}\n`, NDJSON);
      expect(status).toBe(202);
      const cancelled = await http.send('POST', `/api/v1/jobs/${body.id}/cancel`);
      expect([cancelled.status, cancelled.body.state]).toEqual([200, 'cancelled']);
    }
    await http.runJobs();
    expect((await http.database.query('SELECT 1 FROM projects')).rowCount).toBe(before);
    expect(await leftOver()).toBe(0);
    expect((await http.database.query(`SELECT 1 FROM ingestion_jobs WHERE state IN ('queued', 'running')`)).rowCount).toBe(0);
  }, 120_000);
});
