import { createTestDatabase, ServerProcess, type TestDatabase } from '#testing';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}

interface ExportRequest {
  readonly resourceSpans: readonly {
    readonly resource: Pick<Span, 'attributes'>;
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[];
  }[];
}

const CALLER = { traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331' };
const SECRET_TEXT = 'canary-in-a-query';

/** As much of an OpenTelemetry collector as takes spans, as JSON over HTTP. */
class Collector {
  readonly spans: Span[] = [];
  readonly services = new Set<unknown>();
  text = '';
  private readonly server: Server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (piece: string) => (body += piece));
    request.on('end', () => {
      if (request.url === '/v1/traces' && request.headers['content-type'] === 'application/json') this.take(body);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.server.close();
    this.server.closeAllConnections();
  }

  private take(body: string): void {
    this.text += body;
    for (const { resource, scopeSpans } of (JSON.parse(body) as ExportRequest).resourceSpans) {
      this.services.add(attributeOf(resource, 'service.name'));
      this.spans.push(...scopeSpans.flatMap(({ spans }) => spans));
    }
  }
}

function attributeOf({ attributes }: Pick<Span, 'attributes'>, key: string): unknown {
  return Object.values(attributes.find((one) => one.key === key)?.value ?? {})[0];
}

describe('traces', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kindred-traces-'));
  const collector = new Collector();
  let database: TestDatabase;
  let server: ServerProcess;

  beforeAll(async () => {
    database = await createTestDatabase();
    const endpoint = await collector.start();
    server = await ServerProcess.start(
      { DATABASE_URL: database.url, DATA_DIR: folder, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, SCHEDULE_STATISTICS: 'off' },
      { preloads: ['fake-embedder'] },
    );
  });
  afterAll(async () => {
    await server.end('SIGKILL');
    collector.stop();
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('show a search from the request to the rows, inside the trace of its caller, and the batches of the relay', async () => {
    await server.call('POST', '/api/v1/projects?wait_for_index_ms=10000', { name: 'Gate', description: 'Garden gate in oak' });
    const reply = await fetch(`${server.url}/api/v1/similarity/find-similar`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        traceparent: `00-${CALLER.traceId}-${CALLER.spanId}-01`,
        'x-request-id': 'trace-test-1',
      },
      body: JSON.stringify({ query: SECRET_TEXT, mode: 'hybrid', threshold: -1 }),
    });
    expect(reply.status).toBe(200);
    await fetch(`${server.url}/nowhere`, { headers: { traceparent: '00-not-a-trace' } });
    // The end sends what is left.
    expect(await server.end('SIGTERM')).toBe(0);

    const { spans } = collector;
    expect([...collector.services]).toEqual(['kindred-api']);
    const root = spans.find(({ name }) => name === 'POST /api/v1/similarity/find-similar')!;
    expect(root).toMatchObject({ traceId: CALLER.traceId, parentSpanId: CALLER.spanId });
    expect([attributeOf(root, 'http.response.status_code'), attributeOf(root, 'kindred.request_id')]).toEqual([200, 'trace-test-1']);
    const search = spans.find(({ name, traceId }) => name === 'search' && traceId === CALLER.traceId)!;
    expect(search.parentSpanId).toBe(root.spanId);
    expect([attributeOf(search, 'kindred.search.mode'), attributeOf(search, 'kindred.search.source')]).toEqual(['hybrid', 'local']);
    const inside = spans.filter(({ traceId, name }) => traceId === CALLER.traceId && !['search', root.name].includes(name));
    expect(new Set(inside.map(({ name }) => name))).toEqual(
      new Set(['search embed', 'search words', 'search hydrate', 'vector-store query']),
    );
    expect(new Set(inside.map(({ parentSpanId }) => parentSpanId))).toEqual(new Set([search.spanId]));

    const unmatched = spans.find(({ name }) => name === 'GET unmatched')!;
    expect(unmatched.parentSpanId ?? '').toBe('');
    const batch = spans.find(({ name }) => name === 'relay batch')!;
    expect([attributeOf(batch, 'kindred.source'), attributeOf(batch, 'kindred.entries')]).toEqual(['projects', 1]);
    expect(spans.some(({ name, parentSpanId }) => name === 'vector-store upsert' && parentSpanId === batch.spanId)).toBe(true);
    expect(collector.text).not.toContain(SECRET_TEXT);
  });
});
