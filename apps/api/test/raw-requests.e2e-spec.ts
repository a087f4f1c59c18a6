import { connect, type AddressInfo } from 'node:net';
import { startHttp, type HttpHarness } from './http-harness.js';

const LINE = 'POST /api/v1/similarity/find-similar HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n';
/** Rides behind each form: nothing may ever answer it. */
const SMUGGLED = 'GET /api/v1/projects?limit=1 HTTP/1.1\r\nHost: smuggled\r\nX-Request-Id: smuggled\r\n\r\n';
const CHUNKED = 'Transfer-Encoding: chunked\r\n';

/** Two readers of one connection could disagree where each of these requests ends. */
const FORMS: Record<string, string> = {
  'CL then TE': `${LINE}Content-Length: 5\r\n${CHUNKED}\r\n0\r\n\r\n`,
  'TE then CL': `${LINE}${CHUNKED}Content-Length: 5\r\n\r\n0\r\n\r\n`,
  'CL 0 and TE': `${LINE}Content-Length: 0\r\n${CHUNKED}\r\n0\r\n\r\n`,
  'two CL that differ': `${LINE}Content-Length: 0\r\nContent-Length: 5\r\n\r\n`,
  'two CL that agree': `${LINE}Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}`,
  'a list of CL': `${LINE}Content-Length: 0, 5\r\n\r\n`,
  'CL with a sign': `${LINE}Content-Length: +2\r\n\r\n{}`,
  'negative CL': `${LINE}Content-Length: -1\r\n\r\n`,
  'hexadecimal CL': `${LINE}Content-Length: 0x2\r\n\r\n{}`,
  'CL with a letter': `${LINE}Content-Length: 2a\r\n\r\n{}`,
  'CL in quotes': `${LINE}Content-Length: "2"\r\n\r\n{}`,
  'fractional CL': `${LINE}Content-Length: 2.0\r\n\r\n{}`,
  'CL with an exponent': `${LINE}Content-Length: 2e0\r\n\r\n{}`,
  'CL beyond 64 bits': `${LINE}Content-Length: 99999999999999999999999\r\n\r\n`,
  'CL of two numbers': `${LINE}Content-Length: 2 2\r\n\r\n{}`,
  'CL with a bare CR inside': `${LINE}Content-Length: 2\r3\r\n\r\n{}`,
  'space before the colon of CL': `${LINE}Content-Length : 2\r\n\r\n{}`,
  'space before the colon of TE': `${LINE}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n`,
  'tab before the colon of TE': `${LINE}Transfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n`,
  'TE that is not chunked': `${LINE}Transfer-Encoding: identity\r\n\r\n`,
  'TE almost chunked': `${LINE}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`,
  'TE with chunked not last': `${LINE}Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n`,
  'TE with a line break before its value': `${LINE}Transfer-Encoding:\r\n chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
  'TE twice and CL': `${LINE}${CHUNKED}Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
  'TE in mixed case and CL': `${LINE}tRANSFER-eNCODING: ChUnKeD\r\nContent-Length: 5\r\n\r\n0\r\n\r\n`,
  'TE with a control character': `${LINE}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`,
  'TE behind a NUL': `${LINE}X: a\0\r\n${CHUNKED}\r\n0\r\n\r\n`,
  'a bare LF everywhere': `${LINE.replaceAll('\r\n', '\n')}Content-Length: 2\n\n{}`,
  'a bare LF behind the request line': `POST /api/v1/projects HTTP/1.1\nHost: x\r\nContent-Length: 2\r\n\r\n{}`,
  'a bare LF behind a header': `${LINE}X: a\nContent-Length: 2\r\n\r\n{}`,
  'a bare LF before the body': `${LINE}Content-Length: 2\r\n\n{}`,
  'a bare CR behind a header': `${LINE}X: a\rContent-Length: 2\r\n\r\n{}`,
  'a folded header': `${LINE}Content-Length: 2\r\n X: folded\r\n\r\n{}`,
  'a header that begins with a space': `POST /api/v1/projects HTTP/1.1\r\n Host: x\r\nContent-Length: 2\r\n\r\n{}`,
  'a header without a colon': `${LINE}Content-Length 2\r\n\r\n{}`,
  'a header without a name': `${LINE}: 2\r\n\r\n`,
  'a name with a NUL': `${LINE}Content\0Length: 2\r\n\r\n{}`,
  'a name in brackets': `${LINE}Content[Length]: 2\r\n\r\n{}`,
  'a chunk size with a prefix': `${LINE}${CHUNKED}\r\n0x2\r\n{}\r\n0\r\n\r\n`,
  'a negative chunk size': `${LINE}${CHUNKED}\r\n-2\r\n{}\r\n0\r\n\r\n`,
  'a chunk size with a sign': `${LINE}${CHUNKED}\r\n+2\r\n{}\r\n0\r\n\r\n`,
  'a chunk size beyond 64 bits': `${LINE}${CHUNKED}\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n`,
  'a chunk size without digits': `${LINE}${CHUNKED}\r\n\r\n{}\r\n0\r\n\r\n`,
  'a chunk that is longer than it says': `${LINE}${CHUNKED}\r\n1\r\n{}\r\n0\r\n\r\n`,
  'a chunk that ends with LF': `${LINE}${CHUNKED}\r\n2\r\n{}\n0\r\n\r\n`,
  'a chunk size that ends with LF': `${LINE}${CHUNKED}\r\n2\n{}\r\n0\r\n\r\n`,
  'a chunk extension with LF': `${LINE}${CHUNKED}\r\n2;a\n{}\r\n0\r\n\r\n`,
  'a last chunk that ends with LF': `${LINE}${CHUNKED}\r\n0\n\n`,
  'no Host': 'GET /api/v1/projects HTTP/1.1\r\n\r\n',
  'HTTP 0.9': 'GET /api/v1/projects\r\n\r\n',
  'HTTP 3': 'GET /api/v1/projects HTTP/3.0\r\nHost: x\r\n\r\n',
  'a version that is none': 'GET /api/v1/projects HTTP/1.x\r\nHost: x\r\n\r\n',
  'a tab in the request line': 'GET\t/api/v1/projects HTTP/1.1\r\nHost: x\r\n\r\n',
  'a preface of HTTP 2': 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'TLS where there is none': '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
};

describe('requests byte by byte', () => {
  let http: HttpHarness;
  let port: number;
  beforeAll(async () => {
    http = await startHttp();
    await http.app.listen(0, '127.0.0.1');
    port = (http.app.getHttpServer().address() as AddressInfo).port;
  });
  afterAll(() => http.close());

  /** Everything that comes back until the server closes, or for a quarter of a second: an answer to what was smuggled would be in it. */
  const raw = (bytes: string) =>
    new Promise<{ text: string; isClosed: boolean }>((resolve) => {
      let text = '';
      const socket = connect(port, '127.0.0.1', () => socket.write(Buffer.from(bytes, 'latin1')));
      const timer = setTimeout(() => socket.destroy(), 1_000);
      let isClosed = false;
      socket
        .setEncoding('latin1')
        .on('data', (chunk) => (text += String(chunk)))
        .on('end', () => (isClosed = true))
        .on('error', () => undefined)
        .on('close', () => {
          clearTimeout(timer);
          resolve({ text, isClosed });
        });
    });
  const statusesOf = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => status);

  it('has at least fifty forms', () => expect(Object.keys(FORMS).length).toBeGreaterThanOrEqual(50));

  it.each(Object.entries(FORMS))('%s: 400, closed, and nothing behind it is answered', async (_name, bytes) => {
    const { text, isClosed } = await raw(bytes + SMUGGLED);
    expect(statusesOf(text)).toEqual(['400']);
    expect(isClosed).toBe(true);
    expect(text).not.toContain('x-request-id: smuggled');
    const body = text.slice(text.indexOf('\r\n\r\n') + 4);
    // Node itself turns requests without Host away, without a problem.
    if (bytes !== FORMS['no Host']) expect(JSON.parse(body)).toMatchObject({ status: 400, code: 'request.invalid' });
  });

  it('answers two honest requests on one connection, in order', async () => {
    const { text } = await raw(
      `${LINE}Content-Length: 15\r\n\r\n{"query":"oak"}GET /livez-not HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    );
    expect(statusesOf(text)).toEqual(['200', '404']);
  });

  it.each(['TRACE', 'TRACK', 'CONNECT'])('%s is off everywhere', async (method) => {
    for (const path of ['/', '/api/v1/projects', '/docs', '*']) {
      const { text } = await raw(`${method} ${path} HTTP/1.1\r\nHost: x\r\nX-Echo: canary-in-trace\r\nConnection: close\r\n\r\n`);
      expect(['', '400', '404', '405']).toContain(statusesOf(text)[0] ?? '');
      expect(text).not.toContain('canary-in-trace');
    }
  });

  it('takes 100 headers and not 101, and headers up to 16 KiB', async () => {
    // Host and Connection are two of them.
    const withHeaders = (count: number) =>
      raw(
        `GET /api/v1/projects?limit=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${Array.from({ length: count - 2 }, (_, n) => `X-${n}: 1\r\n`).join('')}\r\n`,
      );
    expect(statusesOf((await withHeaders(100)).text)).toEqual(['200']);
    const tooMany = await withHeaders(101);
    expect([statusesOf(tooMany.text), tooMany.text.includes('more than 100 headers')]).toEqual([['400'], true]);
    expect(statusesOf((await withHeaders(2_500)).text)).toEqual([expect.stringMatching(/^4(00|31)$/)]);

    const withUrl = (length: number) =>
      raw(`GET /api/v1/projects?external_id=${'a'.repeat(length)} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    expect(statusesOf((await withUrl(200)).text)).toEqual(['200']);
    expect(statusesOf((await withUrl(201)).text)).toEqual(['400']);
    expect(statusesOf((await withUrl(15_000)).text)).toEqual(['400']);
    expect(statusesOf((await withUrl(17_000)).text)).toEqual(['431']);
    expect(statusesOf((await withUrl(1_700_000)).text)).toEqual(['431']);
  });
});
