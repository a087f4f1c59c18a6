import { SecurityConfig } from '#config';
import { DomainError, plainAddressOf } from '#kernel';
import { Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { isIP } from 'node:net';
import { AccessControl } from '../access-control.js';
import { ANONYMOUS, type Caller } from '../caller.js';
import { refusalOf, type RequestOrigin } from './loopback.js';
import type { RouteAccess, RouteScope } from './requires-scope.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sent it; set before any controller sees it, on every route but public ones. */
    caller?: Caller | undefined;
  }
}

/** What is not made of controllers: the pages of the API document. */
const OTHER_ROUTES: Readonly<Record<string, RouteScope>> = { docs: 'read', 'docs-json': 'read' };

/** Lets a request in, or not, before its body is read. */
@Injectable()
export class AccessHook {
  constructor(
    private readonly access: AccessControl,
    private readonly config: SecurityConfig,
  ) {}

  /** @throws DomainError of kind `unauthenticated`, `forbidden`, `rate-limited` or `unavailable` */
  async check(request: FastifyRequest): Promise<void> {
    const scope = scopeOf(request.routeOptions.config, request.routeOptions.url ?? '');
    if (scope === 'public') return this.recognise(request);
    const caller = await this.access.identify({ key: keyOf(request), address: clientAddressOf(request) });
    request.caller = caller;
    if (!caller.scopes.has(scope)) throw new DomainError('access.scope-missing', { detail: `This needs a key with the scope ${scope}` });
    if (caller.collections !== null && accessOf(request)?.collectionPlaces === undefined) throw new DomainError('access.collections-only');
    if (caller.keyId !== null || !scope.startsWith('admin')) return;
    // Nobody was asked for a key: what operators may do is then for this machine alone.
    const refusal = refusalOf(originOf(request));
    if (refusal !== null) {
      throw new DomainError('admin.loopback-only', {
        detail: `Without a key only requests from this machine are answered here; ${refusal}`,
      });
    }
  }

  /** Public routes answer everybody, and some of them tell operators more. A key that is not good is none. */
  private async recognise(request: FastifyRequest): Promise<void> {
    const key = keyOf(request);
    if (key !== null) request.caller = await this.access.identify({ key, address: clientAddressOf(request) }).catch(() => undefined);
    else if (this.config.access !== 'required' && refusalOf(originOf(request)) === null) request.caller = ANONYMOUS;
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

/** Address of the client: Fastify's, which believes X-Forwarded-For only of trusted proxies. A proxy that names something else than an address is taken itself. */
export function clientAddressOf({ ip, raw }: FastifyRequest): string {
  return plainAddressOf(isIP(ip) === 0 ? (raw.socket.remoteAddress ?? '') : ip);
}

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
