import { SecurityConfig } from '#config';
import { DomainError, plainAddressOf, RepeatedMessages, SystemClock } from '#kernel';
import { Injectable, Logger } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { isIP } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { AccessControl } from '../access-control.js';
import { ANONYMOUS, type Caller } from '../caller.js';
import { refusalOf, type RequestOrigin } from './loopback.js';
import type { Scope } from '../scope.js';
import type { RouteAccess, RouteScope } from './requires-scope.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sent it; set before any controller sees it, on every route but public ones. */
    caller?: Caller | undefined;
  }
}

/** Public routes show more to whom they know, but are not held up by that. */
const RECOGNISED_WITHIN_MS = 250;

/** What is not made of controllers: the pages of the API document. */
const OTHER_ROUTES: Readonly<Record<string, RouteScope>> = { docs: 'read', 'docs-json': 'read' };

/** Lets a request in, or not, before its body is read. */
@Injectable()
export class AccessHook {
  private readonly logger = new Logger(AccessHook.name);
  private readonly messages = new RepeatedMessages(new SystemClock());

  constructor(
    private readonly access: AccessControl,
    private readonly config: SecurityConfig,
  ) {}

  /** @throws DomainError of kind `unauthenticated`, `forbidden`, `rate-limited` or `unavailable` */
  async check(request: FastifyRequest): Promise<void> {
    const scope = scopeOf(request.routeOptions.config, request.routeOptions.url ?? '');
    if (scope === 'public') return this.recognise(request);
    try {
      await this.letIn(request, scope);
    } catch (error) {
      if (scope.startsWith('admin')) this.noteRefusal(request, error);
      throw error;
    }
  }

  private async letIn(request: FastifyRequest, scope: Scope): Promise<void> {
    const caller = await this.access.identify({ key: keyOf(request), address: clientAddressOf(request) });
    request.caller = caller;
    if (!caller.scopes.has(scope)) throw new DomainError('access.scope-missing', { detail: `This needs a key with the scope ${scope}` });
    if (caller.collections !== null && accessOf(request)?.collectionPlaces === undefined) throw new DomainError('access.collections-only');
    if (caller.keyId === null) this.checkOrigin(request, scope);
  }

  /**
   * Nobody was asked for a key. Then everything is for this machine alone, or, where keys are switched off, what operators may do.
   *
   * Pages that CORS_ORIGINS names are let in to all but that.
   */
  private checkOrigin(request: FastifyRequest, scope: Scope): void {
    const isForOperators = scope.startsWith('admin');
    if (this.config.access === 'open' && !isForOperators) return;
    const refusal = refusalOf(originOf(request), isForOperators ? {} : { origins: this.config.corsOrigins, anyShortName: true });
    if (refusal === null) return;
    throw new DomainError(isForOperators ? 'admin.loopback-only' : 'access.local-only', {
      detail: `Without a key only requests from this machine are answered here; ${refusal}`,
    });
  }

  /** Not in the audit, which only who came in may make grow; once a minute for each route and key. */
  private noteRefusal(request: FastifyRequest, error: unknown): void {
    if (!(error instanceof DomainError)) return;
    const [route, keyId] = [request.routeOptions.url ?? '', request.caller?.keyId ?? null];
    const msg = this.messages.pass(`${request.method} ${route} ${keyId}`, 'A request to an admin route was refused');
    if (msg === null) return;
    this.logger.warn({
      msg,
      code: error.code,
      method: request.method,
      route,
      key_id: keyId,
      address: clientAddressOf(request),
      request_id: request.id,
    });
  }

  /** Public routes answer everybody, and some of them tell operators more. A key that is not good is none. */
  private async recognise(request: FastifyRequest): Promise<void> {
    const key = keyOf(request);
    if (key !== null) request.caller = await this.inTime(this.access.identify({ key, address: clientAddressOf(request) }));
    else if (this.config.access !== 'required' && refusalOf(originOf(request)) === null) request.caller = ANONYMOUS;
  }

  /** A probe waits for no database: who is not known soon is nobody. */
  private async inTime(identifying: Promise<Caller>): Promise<Caller | undefined> {
    const late = new AbortController();
    const nobody = delay(RECOGNISED_WITHIN_MS, undefined, { signal: late.signal, ref: false }).catch(() => undefined);
    try {
      return await Promise.race([identifying.catch(() => undefined), nobody]);
    } finally {
      late.abort();
    }
  }
}

function originOf(request: FastifyRequest): RequestOrigin {
  // The peer of the socket, not Fastify's `ip`, which may come from a header.
  return { remoteAddress: request.raw.socket.remoteAddress, headers: request.headers };
}

/** What the route asks for. @throws Error for a route that does not say it: better no start than an open door */
export function scopeOf(config: unknown, url: string): RouteScope {
  const { access } = (config ?? {}) as { readonly access?: RouteAccess };
  const scope = access?.scope ?? OTHER_ROUTES[url.split('/')[1] ?? ''];
  if (scope === undefined)
    throw new Error(`The route ${url} does not say what scope it asks for (@RequiresScope or @Public on its controller)`);
  return scope;
}

/** What the house keeps with the route of a request. */
export function accessOf({ routeOptions }: FastifyRequest): RouteAccess | undefined {
  return (routeOptions.config as { readonly access?: RouteAccess }).access;
}

/**
 * Address of the client: Fastify's, which believes X-Forwarded-For only of trusted proxies. Some of them write the port as well, which is left out.
 *
 * @returns `''` for what is no address (`unknown`), which no range holds: a key that is for some addresses is not good from there
 */
export function clientAddressOf({ ip }: FastifyRequest): string {
  const plain = WITH_PORT.exec(ip);
  const address = plain?.[1] ?? plain?.[2] ?? ip;
  return isIP(address) === 0 ? '' : plainAddressOf(address);
}

const WITH_PORT = /^(?:\[([0-9a-f:.]+)\](?::\d+)?|(\d+\.\d+\.\d+\.\d+):\d+)$/i;
const BEARER = /^bearer +([\x21-\x7e]+) *$/i;
const KEY_MAX_LENGTH = 512;

/** `null` = none was sent. An Authorization of another kind, or two keys that differ, are a key that is wrong. */
function keyOf({ headers }: FastifyRequest): string | null {
  const { authorization } = headers;
  const plain = headers['x-api-key'];
  if (authorization === undefined && plain === undefined) return null;
  const bearer = authorization === undefined ? undefined : (BEARER.exec(authorization)?.[1] ?? '');
  const key = bearer ?? plain;
  const isClear =
    typeof key === 'string' && key.length <= KEY_MAX_LENGTH && (bearer === undefined || plain === undefined || bearer === plain);
  return isClear ? key : '';
}
