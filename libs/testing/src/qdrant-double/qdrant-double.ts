import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { badJson, DoubleFailure } from './double-failure.js';
import { answer } from './double-routes.js';
import { DoubleStorage } from './double-storage.js';
import { isObject, type Json, type JsonObject } from './double-types.js';
import { FaultQueue } from './fault-queue.js';
import type { FaultSelection, InjectedFault, QdrantDoubleFault } from './qdrant-double-fault.js';

const MAX_BODY_BYTES = 32 * 1024 * 1024;
const KEPT_REQUESTS = 1_000;
const PROBES: Readonly<Record<string, string>> = {
  '/healthz': 'healthz check passed',
  '/livez': 'healthz check passed',
  '/readyz': 'all shards are ready',
};

export interface QdrantDoubleOptions {
  /** What the double says its version is. Default 1.19.0. */
  readonly version?: string;
  /** Demanded in the header `api-key`. Default: none. */
  readonly apiKey?: string;
  /** A path under which it answers, as behind a proxy. Default: none. */
  readonly prefix?: string;
}

/** A guard of the server that the double lacks. */
export type QdrantWeakness = 'no-upsert-fence' | 'no-delete-fence';

export interface RecordedRequest {
  /** `METHOD /path?query`. */
  readonly line: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: JsonObject;
}

interface Reply {
  readonly status: number;
  readonly contentType?: string;
  readonly body: string;
  readonly headers?: Record<string, string>;
}

/**
 * A DOUBLE of Qdrant: an HTTP server in this process that keeps points in memory and answers a recorded set of requests as Qdrant 1.19.0 does.
 *
 * It is no Qdrant. It scans, persists nothing, knows one vector per point, and proves nothing about the real server's speed, durability or concurrency.
 */
export class QdrantDouble {
  /** What it says its version is; may be changed while it runs. */
  version: string;
  /** The latest requests, oldest first. */
  readonly requests: RecordedRequest[] = [];
  private readonly faults = new FaultQueue();
  private readonly storage = new DoubleStorage(() => this.version);
  private readonly prefix: string;
  private weakness: QdrantWeakness | null = null;
  private server: Server | null = null;
  private startedAt = new Date();

  constructor(private readonly options: QdrantDoubleOptions = {}) {
    this.version = options.version ?? '1.19.0';
    this.prefix = options.prefix ?? '';
  }

  /** Listens on a free port of 127.0.0.1, or on `port`. Returns the address, prefix included. */
  async start(port = 0): Promise<string> {
    const server = createServer((request, response) => void this.serve(request, response));
    // Like Qdrant, it announces no keep-alive time; unlike Qdrant, it never closes an idle connection unless told to.
    server.keepAliveTimeout = 0;
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    this.server = server;
    this.startedAt = new Date();
    return this.url;
  }

  get url(): string {
    if (this.server === null) throw new Error('The double is not running');
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${this.prefix}`;
  }

  /** Breaks all connections and listens no more. What it holds is there again after the next start. */
  async stop(): Promise<void> {
    const server = this.server;
    this.server = null;
    if (server === null) return;
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    await closed;
  }

  /** How many connections are open, idle ones included. */
  async openConnections(): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.server === null) return resolve(0);
      this.server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
    });
  }

  /** From now on conditions of upserts, or of deletes, are ignored: a guard that is missing, to see the tests of the engine notice it. `null` heals it. */
  weaken(weakness: QdrantWeakness | null): void {
    this.weakness = weakness;
  }

  /** Lets something go wrong with the next request that fits. */
  inject(fault: QdrantDoubleFault, selection: FaultSelection = {}): InjectedFault {
    return this.faults.add(fault, selection);
  }

  clearFaults(): void {
    this.faults.clear();
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = await readBody(request).catch(() => null);
    if (raw === null) return;
    const line = `${request.method} ${request.url}`;
    const reply = await this.replyWithFaults(line, request, raw);
    if (reply === 'break') {
      request.socket.destroy();
      return;
    }
    response.writeHead(reply.status, {
      ...(reply.contentType === undefined ? {} : { 'content-type': reply.contentType }),
      ...reply.headers,
    });
    response.end(reply.body);
  }

  private async replyWithFaults(line: string, request: IncomingMessage, raw: Buffer): Promise<Reply | 'break'> {
    const hit = this.faults.take(line);
    const apply = (): Reply => this.reply(line, request, raw);
    if (hit === null) return apply();
    const { fault } = hit;
    switch (fault.kind) {
      case 'reset':
        this.record(line, request, {});
        return 'break';
      case 'drop-reply':
        apply();
        return 'break';
      case 'delay':
        await wait(fault.ms);
        return apply();
      case 'hold':
        await hit.released;
        return apply();
      case 'status':
        this.record(line, request, {});
        return {
          ...failure(fault.status, fault.message ?? `Fault of the double: ${fault.status}`),
          headers: fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter },
        };
      case 'update-status':
        if (fault.isApplied) apply();
        else this.record(line, request, {});
        return success({ operation_id: 0, status: fault.status });
      case 'reply':
        this.record(line, request, {});
        return fault;
    }
  }

  private reply(line: string, request: IncomingMessage, raw: Buffer): Reply {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://double');
    const path = pathname.startsWith(this.prefix) ? pathname.slice(this.prefix.length) || '/' : '';
    try {
      const body = parseBody(raw);
      this.record(line, request, body);
      if (this.options.apiKey !== undefined && request.headers['api-key'] !== this.options.apiKey) return failure(401, 'Invalid API key');
      const probe = this.probe(path);
      if (probe !== null) return probe;
      const result = answer(this.storage, { method: request.method ?? 'GET', path, query: searchParams, body: this.withoutFence(body) });
      return result === undefined ? { status: 404, body: '' } : success(result);
    } catch (error) {
      if (error instanceof DoubleFailure) return failure(error.status, error.message);
      throw error;
    }
  }

  private withoutFence(body: JsonObject): JsonObject {
    if (this.weakness === 'no-upsert-fence' && body['update_filter'] !== undefined) return { ...body, update_filter: undefined };
    if (this.weakness !== 'no-delete-fence' || !isObject(body['filter'])) return body;
    return { ...body, filter: withoutRange(body['filter']) };
  }

  private probe(path: string): Reply | null {
    const text = PROBES[path];
    if (text !== undefined) return { status: 200, contentType: 'text/plain; charset=utf-8', body: text };
    if (path === '/telemetry') return json(200, { result: { app: { startup: this.startedAt.toISOString() } }, status: 'ok', time: 0 });
    return path === '/' ? json(200, { title: 'qdrant - vector search engine', version: this.version, commit: 'double' }) : null;
  }

  private record(line: string, request: IncomingMessage, body: JsonObject): void {
    this.requests.push({ line, headers: request.headers, body });
    if (this.requests.length > KEPT_REQUESTS) this.requests.shift();
  }
}

/** Ranges of revs are the fence of a delete; ids stay. */
function withoutRange(filter: JsonObject): JsonObject {
  const strip = (value: Json): Json => {
    if (Array.isArray(value)) return value.filter((part) => !(isObject(part) && part['range'] !== undefined)).map(strip);
    return isObject(value) ? withoutRange(value) : value;
  };
  return Object.fromEntries(Object.entries(filter).map(([key, value]) => [key, strip(value as Json)]));
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function parseBody(raw: Buffer): JsonObject {
  if (raw.length === 0) return {};
  if (raw.length > MAX_BODY_BYTES) {
    throw new DoubleFailure(400, `JSON payload (${raw.length} bytes) is larger than allowed (limit: ${MAX_BODY_BYTES} bytes).`);
  }
  const text = raw.toString();
  try {
    const body = JSON.parse(text) as Json;
    return isObject(body) ? body : {};
  } catch {
    throw badJson(`EOF while parsing a value at line 1 column ${text.length}`);
  }
}

function success(result: Json): Reply {
  return json(200, { result, status: 'ok', time: 0 });
}

function failure(status: number, error: string): Reply {
  return json(status, { status: { error }, time: 0 });
}

function json(status: number, body: Json): Reply {
  return { status, contentType: 'application/json', body: JSON.stringify(body) };
}
