import { scopeOf, type AccessHook, type LimitsHook } from '#security';
import cors from '@fastify/cors';
import helmet from '@fastify/helmet';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import {
  BODY_LIMIT_BYTES,
  CLIENT_TIMEOUTS,
  HEADERS_LIMIT_BYTES,
  KEEP_ALIVE_TIMEOUT_MS,
  PATH_PARAMETER_LIMIT,
  type ClientTimeouts,
} from './limits.js';
import { ClosingPort } from './closing-port.js';
import { answerClientError } from './client-error.js';
import { corsOptions } from './cors-options.js';
import { ANY_PATH, checkRequest } from './request-checks.js';
import { watchBody, watchReader, type WatchedRequest } from './slow-clients.js';
import { FILE_TYPES, parseBody, passFile, streamsBody } from './body-parser.js';
import { ProblemFilter } from './problem.filter.js';
import { parseQueryString } from './query-string.js';
import { REQUEST_ID_HEADER, requestIdOf } from './request-id.js';
import type { RequestSpans } from './request-spans.js';
import { RouteTable } from './route-table.js';
import { SECURITY_HEADERS } from './security-headers.js';

export interface HttpAdapterOptions {
  /** Peers whose X-Forwarded-For is believed. Default: none. */
  readonly trustedProxies?: readonly string[];
  /** Origins whose pages may call the API. Default: none. */
  readonly corsOrigins?: readonly string[];
  /** Default: those of limits.ts. */
  readonly timeouts?: ClientTimeouts;
}

/** What stands before every route. */
interface Gate {
  readonly access: AccessHook;
  readonly limits: LimitsHook;
}

/** Must not throw, and answers nothing. */
export type RequestWatcher = (request: FastifyRequest, reply: FastifyReply) => void;

/** Fastify with the manners of this service: request ids, strict bodies and queries, 404 against 405, problems for what the router refuses. */
export class KindredFastifyAdapter extends FastifyAdapter {
  readonly routes = new RouteTable();
  private readonly timeouts: ClientTimeouts;
  private isTurningAway = false;
  private gate: Gate | null = null;
  private readonly watchers: RequestWatcher[] = [];

  constructor({ trustedProxies = [], corsOrigins = [], timeouts = CLIENT_TIMEOUTS }: HttpAdapterOptions = {}) {
    const problems = new ProblemFilter();
    super({
      bodyLimit: BODY_LIMIT_BYTES,
      trustProxy: trustedProxies.length === 0 ? false : [...trustedProxies],
      // Node knows one limit for whole requests, and a file may take longer: the body has a limit of its own below.
      requestTimeout: 0,
      http: { headersTimeout: timeouts.headersMs, connectionsCheckingInterval: timeouts.checkMs, maxHeaderSize: HEADERS_LIMIT_BYTES },
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      genReqId: requestIdOf,
      // A request that arrives on an open connection while the service stops is still answered; the drain waits for it.
      return503OnClosing: false,
      clientErrorHandler: answerClientError,
      frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => {
        reply.header(REQUEST_ID_HEADER, request.id);
        problems.answer(error, request, reply);
      },
      routerOptions: { ignoreTrailingSlash: true, maxParamLength: PATH_PARAMETER_LIMIT, querystringParser: parseQueryString },
    });
    this.timeouts = timeouts;
    const fastify = this.getInstance();
    // Before any route, so that it is there for those of the API document as well, which are older than Nest's handler.
    fastify.setErrorHandler((error: Error, request, reply) => problems.answer(error, request, reply));
    fastify.addHook('onRoute', ({ method, url, config }) => {
      if (url === ANY_PATH) return;
      scopeOf(config, url);
      this.routes.add(method, url);
    });
    // First of all, so that every request is seen, also a preflight, which CORS answers itself.
    fastify.addHook('onRequest', (request, reply, done) => {
      for (const watch of this.watchers) watch(request, reply);
      done();
    });
    // Before the checks below, so that refusals carry their headers as well.
    void fastify.register(helmet, SECURITY_HEADERS);
    if (corsOrigins.length > 0) void fastify.register(cors, corsOptions(corsOrigins));
    void fastify.after(() => {
      fastify.addHook('onRequest', (request, reply, done) => this.receive(request, reply, done));
      fastify.addHook('onRequest', async (request, reply) => {
        if (this.gate === null) throw new Error('Nobody checks who calls: configureHttp was not called');
        await this.gate.access.check(request);
        await this.gate.limits.admit(request, reply);
      });
    });
    fastify.addHook('preHandler', (request, reply) => this.gate!.limits.charge(request, reply));
    fastify.addHook('onSend', (request, _reply, _payload, done) => {
      watchReader(request.raw.socket, timeouts.readIdleMs);
      done();
    });
    const port = new ClosingPort(fastify.server);
    fastify.addHook('preClose', (done) => port.begin(done));
    fastify.removeAllContentTypeParsers();
    fastify.addContentTypeParser(['application/json', 'application/merge-patch+json'], { parseAs: 'buffer' }, parseBody);
    fastify.addContentTypeParser(FILE_TYPES, (request, payload, done) => passFile(request, payload, done));
  }

  /** Says who decides which requests come in; before it is said, none does. */
  protectWith(gate: Gate): void {
    this.gate = gate;
  }

  /** From now on every answer closes its connection, so that none is left idle that a client might use in the moment when the port closes. */
  turnAway(): void {
    this.isTurningAway = true;
  }

  /** Shows every request to the watcher before it is looked at: also those that are refused, and never meet a route. */
  watchRequests(watcher: RequestWatcher): void {
    this.watchers.push(watcher);
  }

  /** Makes a span of every request. The parser of bodies leaves the context of the request, so the handler is brought back into it. */
  traceRequests(spans: RequestSpans): void {
    this.watchRequests((request, reply) => spans.begin(request, reply));
    this.getInstance().addHook('preValidation', (request, _reply, done) => spans.within(request, done));
  }

  /** Nest's handler would do the same as ours. */
  override setErrorHandler(): ReturnType<FastifyAdapter['setErrorHandler']> {
    return this.getInstance();
  }

  private receive(request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void {
    if (this.isTurningAway) reply.header('connection', 'close');
    const { bodyMs, bodyIdleMs } = this.timeouts;
    watchBody(request.raw as WatchedRequest, streamsBody(request) ? { idleMs: bodyIdleMs } : { wholeMs: bodyMs });
    checkRequest(this.routes, request, reply, done);
  }

  /** Nest would add parsers of its own here, which accept more than ours. */
  override registerParserMiddleware(): void {}
}
