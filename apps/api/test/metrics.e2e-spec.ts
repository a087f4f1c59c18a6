import { createTestDatabase, QdrantDouble, SeededRandom, ServerProcess, TcpProxy, waitFor, type TestDatabase } from '#testing';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseExposition, seriesOf, type ExposedSample } from './observability/exposition.js';

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';
/** A scrape waits two seconds for what it asks; the rest is room for a busy machine. */
const SCRAPE_LIMIT_MS = 4_000;
const SCRAPE_AGAIN_LIMIT_MS = 1_000;
const ODD_REQUESTS = 400;
const SEED = 7;
const ODD_METHODS = ['PROPFIND', 'TRACE', 'MKCOL', 'PURGE', 'M-SEARCH', 'LINK', 'REPORT', 'SEARCH'];

/** Sends what no client library would; resolves when the answer is over. */
function sendRaw(url: string, method: string, path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request(url, { method, path }, (reply) => reply.resume().on('end', () => resolve(reply.statusCode ?? 0)))
      .on('error', reject)
      .end();
  });
}

async function scrape(url: string): Promise<ExposedSample[]> {
  const reply = await fetch(url);
  expect([reply.status, reply.headers.get('content-type')]).toEqual([200, CONTENT_TYPE]);
  return parseExposition(await reply.text());
}

const valueOf = (samples: readonly ExposedSample[], name: string, labels: Record<string, string> = {}): number | undefined =>
  samples.find((sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value))?.value;

describe('metrics of real processes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kindred-metrics-'));
  const index = new QdrantDouble();
  let database: TestDatabase;
  let proxy: TcpProxy;
  let environment: Record<string, string>;
  let api: ServerProcess;
  const others: ServerProcess[] = [];

  beforeAll(async () => {
    const [indexUrl, made] = await Promise.all([index.start(), createTestDatabase()]);
    database = made;
    proxy = await TcpProxy.before(database.url);
    environment = { DATABASE_URL: proxy.through(database.url), QDRANT_URL: indexUrl, LOG_LEVEL: 'info', SCHEDULE_STATISTICS: 'off' };
    api = await ServerProcess.start({ ...environment, DATA_DIR: join(folder, 'api') }, { preloads: ['fake-embedder'] });
  });
  afterAll(async () => {
    await proxy.setMode({ kind: 'pass' });
    await Promise.all([api.end('SIGTERM'), ...others.map((server) => server.end('SIGKILL'))]);
    await proxy.close();
    await index.stop();
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function startOnOwnPort(program: 'api' | 'worker'): Promise<{ readonly server: ServerProcess; readonly metricsUrl: string }> {
    const server = await ServerProcess.start(
      { ...environment, METRICS_PORT: '0', DATA_DIR: join(folder, `${program}-2`) },
      { program, preloads: ['fake-embedder'] },
    );
    others.push(server);
    const line = await waitFor(() => server.output.find((text) => text.includes('"msg":"metrics"')), { what: 'it says where' });
    return { server, metricsUrl: (JSON.parse(line) as { url: string }).url };
  }

  it('are at /metrics of the api, and count what happens', async () => {
    await api.call('POST', '/api/v1/projects?wait_for_index_ms=10000', { name: 'Gate', description: 'Garden gate in oak' });
    await api.call('POST', '/api/v1/similarity/find-similar', { query: 'gate', mode: 'vector' });
    await api.call('POST', '/api/v1/similarity/batch-similar', { queries: ['gate', 'oak'] });
    const samples = await scrape(`${api.url}/metrics`);
    const counted: [string, Record<string, string>, number][] = [
      ['kindred_http_request_duration_seconds_count', { method: 'POST', endpoint: '/api/v1/similarity/find-similar', status: '2xx' }, 1],
      ['kindred_http_active_requests', { method: 'GET', endpoint: '/metrics' }, 1],
      ['kindred_search_duration_seconds_count', { source: 'qdrant', mode: 'vector', texts: 'one' }, 1],
      ['kindred_search_duration_seconds_count', { source: 'qdrant', texts: 'many' }, 1],
      ['kindred_ledger_entries', { source: 'projects', generation: 'serving', state: 'synced' }, 1],
      ['kindred_ledger_oldest_pending_age_seconds', { source: 'projects', generation: 'serving' }, 0],
      ['kindred_relay_events_total', { event: 'synced' }, 1],
      ['kindred_sync_lag_seconds_count', {}, 1],
      ['kindred_vector_store_call_duration_seconds_count', { operation: 'upsert', outcome: 'ok' }, 1],
      ['kindred_vector_store_breaker_state', { state: 'closed' }, 1],
      ['kindred_database_pool_connections', { pool: 'requests', state: 'maximum' }, 10],
      ['kindred_certificate_max_age_seconds', { source: 'projects' }, 2 * 86_400],
      ['kindred_jobs', { state: 'running' }, 0],
      ['kindred_ready', {}, 1],
    ];
    for (const [name, labels, value] of counted) expect([name, labels, valueOf(samples, name, labels)]).toEqual([name, labels, value]);
    expect(valueOf(samples, 'kindred_certificate_age_seconds', { source: 'projects' })).toBeGreaterThan(0);
    expect(valueOf(samples, 'process_resident_memory_bytes')).toBeGreaterThan(1e6);
    expect(valueOf(samples, 'kindred_data_directory_free_bytes')).toBeGreaterThan(0);
  });

  it(`have no more series after ${ODD_REQUESTS} odd requests, seed ${SEED}`, async () => {
    const random = new SeededRandom(SEED);
    const word = () => Math.floor(random.next() * 1e9).toString(36);
    const paths = [
      () => `/${word()}`,
      () => `/api/v1/projects/${word()}`,
      () => `/api/v1/projects/${word()}/${word()}`,
      () => `/api/v1/projects?${word()}=${word()}`,
      () => `/api/v1/jobs/${word()}/events`,
      () => `/metrics/${word()}`,
      () => `/%${word()}`,
      () => `/..%2f${word()}?${word()}`,
      () => `/docs/${word()}`,
      () => `/${word()}"}\\n${word()}`,
    ];
    const methods = ['GET', 'POST', 'PUT', 'DELETE', 'OPTIONS', ...ODD_METHODS];
    // Every combination once, so that what is known can all occur before it is counted.
    for (const method of methods) for (const path of paths) await sendRaw(api.url, method, path());
    const before = seriesOf(await scrape(`${api.url}/metrics`));
    for (let n = 0; n < ODD_REQUESTS; n++) {
      const method = methods[Math.floor(random.next() * methods.length)]!;
      await sendRaw(api.url, method, paths[Math.floor(random.next() * paths.length)]!());
    }
    const samples = await scrape(`${api.url}/metrics`);
    // Of the process itself, which may collect garbage in a way that it has not before.
    const ours = [...seriesOf(samples)].filter((series) => series.startsWith('kindred_http_') && !before.has(series));
    expect(ours).toEqual([]);
    const labels = samples.filter(({ name }) => name.startsWith('kindred_http_')).flatMap(({ labels: { endpoint } }) => endpoint ?? []);
    expect(new Set(labels)).toContain('unmatched');
    expect([...new Set(labels)].filter((endpoint) => endpoint !== 'unmatched' && !/^\/[a-z0-9/:.*_-]*$/i.test(endpoint))).toEqual([]);
    expect(new Set(labels).size).toBeLessThan(20);
  });

  it('of a worker are on METRICS_PORT, and nothing else is', async () => {
    const worker = await startOnOwnPort('worker');
    const samples = await scrape(worker.metricsUrl);
    expect(valueOf(samples, 'kindred_relay_running')).toBe(1);
    expect(valueOf(samples, 'kindred_ledger_entries', { state: 'synced' })).toBe(1);
    expect(samples.some(({ name }) => name.startsWith('kindred_http_'))).toBe(false);
    const elsewhere = worker.metricsUrl.replace('/metrics', '/api/v1/projects');
    expect([(await fetch(elsewhere)).status, (await fetch(worker.metricsUrl, { method: 'POST' })).status]).toEqual([404, 405]);
    expect(await worker.server.end('SIGTERM')).toBe(0);
  });

  it('do not wait for a database that says nothing, and leave out what it alone knows', async () => {
    const other = await startOnOwnPort('api');
    expect((await other.server.call('GET', '/metrics')).status).toBe(404);
    await proxy.setMode({ kind: 'stall' });
    try {
      const startedMs = performance.now();
      const samples = await scrape(other.metricsUrl);
      expect(performance.now() - startedMs).toBeLessThan(SCRAPE_LIMIT_MS);
      for (const reading of ['ledger', 'certificates', 'jobs', 'tables'])
        expect([reading, valueOf(samples, 'kindred_scrape_failures_total', { reading })]).toEqual([reading, 1]);
      expect(valueOf(samples, 'kindred_ledger_entries')).toBeUndefined();
      expect(valueOf(samples, 'kindred_relay_running')).toBe(1);
      expect(valueOf(samples, 'kindred_data_directory_free_bytes')).toBeGreaterThan(0);
      // And nobody asks again at once.
      const againMs = performance.now();
      await scrape(other.metricsUrl);
      expect(performance.now() - againMs).toBeLessThan(SCRAPE_AGAIN_LIMIT_MS);
    } finally {
      await proxy.setMode({ kind: 'pass' });
    }
    expect(await other.server.end('SIGTERM')).toBe(0);
  });
});
