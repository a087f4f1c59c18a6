import { RequestMethod, SetMetadata } from '@nestjs/common';
import { METHOD_METADATA } from '@nestjs/common/constants.js';
import { FASTIFY_ROUTE_CONFIG_METADATA } from '@nestjs/platform-fastify/constants.js';
import { ApiExtension } from '@nestjs/swagger';
import type { Scope } from '../scope.js';

/** What a route asks for: a scope, or nothing at all. */
export type RouteScope = Scope | 'public';

/** What the house keeps with each route, in the configuration that the router carries along. */
export interface RouteAccess {
  readonly scope: RouteScope;
  /** What a request counts against the limit of its key; of a body as it was sent, unchecked. Default: 1. */
  readonly costOf?: ((body: unknown) => number) | undefined;
  /** It waits for the model, and is turned away when it would wait too long. */
  readonly search?: SearchRoute | undefined;
  /** Where a request names the collection it is about; absent = keys for some collections only are not let in. */
  readonly collectionPlaces?: readonly CollectionPlace[] | undefined;
}

/** A route of searches. */
export interface SearchRoute {
  /** Whether the request may wait for something else, for seconds, which says nothing about the queue. Asked before the body is read and again when it is there. */
  readonly mayWait?: ((request: SentRequest) => boolean) | undefined;
}

/** As it was sent, unchecked. */
export interface SentRequest {
  readonly headers: Readonly<Record<string, unknown>>;
  readonly query: unknown;
  readonly body?: unknown;
}

/**
 * Where the collection of a request is: a field of the body, that field of each of `documents` in the body, a query parameter, the collection of the
 * path, or that of the document of the path; `reply` = the route leaves out what the key may not see.
 */
export type CollectionPlace = 'body' | 'body if named' | 'documents' | 'query' | 'path' | 'document' | 'reply';

/** Where an operation of the API document says what it asks for. */
export const SCOPE_EXTENSION = 'x-required-scope';

const SCOPE_METADATA = 'kindred:scope';
const COST_METADATA = 'kindred:cost';
const SEARCH_METADATA = 'kindred:search';
const PLACES_METADATA = 'kindred:collection-places';

/**
 * Says what a key must be allowed to do. On a controller for all its routes, on a method for that one; the method wins.
 *
 * A route that says nothing makes the start fail, so the controller must carry it even when each method has its own.
 *
 * @param toChange of routes of a controller with another method than GET. Default: the same
 */
export function RequiresScope(scope: Scope, toChange: Scope = scope): ClassDecorator & MethodDecorator {
  return declare(scope, toChange);
}

/** Answers everybody, with or without a key. */
export function Public(): ClassDecorator & MethodDecorator {
  return declare('public', 'public');
}

/** Makes a request of this route count for more than one. Must take whatever a client may send. */
export function CostsBy(costOf: (body: unknown) => number): MethodDecorator {
  return SetMetadata(COST_METADATA, costOf);
}

/** Says that a request of this route is a search: short work that queues for the model. Not for answers that a service takes seconds to write. */
export function Searches(mayWait?: SearchRoute['mayWait']): MethodDecorator {
  return SetMetadata(SEARCH_METADATA, { mayWait } satisfies SearchRoute);
}

/** Lets keys in that are for some collections only; every place that is named is looked at. */
export function WithinCollections(...places: CollectionPlace[]): MethodDecorator {
  return SetMetadata(PLACES_METADATA, places);
}

/** Counts the elements of a list in the body: each is as much work as a request of its own. */
export function elementsOf(field: string): (body: unknown) => number {
  return (body) => {
    const list = typeof body === 'object' && body !== null ? (body as Record<string, unknown>)[field] : undefined;
    return Array.isArray(list) ? Math.max(1, list.length) : 1;
  };
}

function declare(scope: RouteScope, toChange: RouteScope): ClassDecorator & MethodDecorator {
  return (target: object, _name?: string | symbol, descriptor?: PropertyDescriptor) => {
    if (descriptor === undefined) configureRoutes((target as { readonly prototype: object }).prototype, scope, toChange);
    else Reflect.defineMetadata(SCOPE_METADATA, scope, descriptor.value as object);
  };
}

/** Runs after the decorators of all methods, so it can complete what they have said. */
function configureRoutes(prototype: object, toSee: RouteScope, toChange: RouteScope): void {
  for (const name of Object.getOwnPropertyNames(prototype)) {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
    const handler: unknown = descriptor?.value;
    if (typeof handler !== 'function' || !Reflect.hasMetadata(METHOD_METADATA, handler)) continue;
    const isGet = Reflect.getMetadata(METHOD_METADATA, handler) === RequestMethod.GET;
    const known = (Reflect.getMetadata(FASTIFY_ROUTE_CONFIG_METADATA, handler) ?? {}) as object;
    const scope = (Reflect.getMetadata(SCOPE_METADATA, handler) ?? (isGet ? toSee : toChange)) as RouteScope;
    const said = <Value>(key: string): Value | undefined => Reflect.getMetadata(key, handler) as Value | undefined;
    const access: RouteAccess = {
      scope,
      costOf: said(COST_METADATA),
      search: said(SEARCH_METADATA),
      collectionPlaces: said(PLACES_METADATA),
    };
    Reflect.defineMetadata(FASTIFY_ROUTE_CONFIG_METADATA, { ...known, access }, handler);
    ApiExtension(SCOPE_EXTENSION, scope)(prototype, name, descriptor!);
  }
}
