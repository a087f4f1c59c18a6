import { DomainError, isUuid } from '#kernel';
import { accessOf, type CollectionPlace } from '#security';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { unknownCollection } from '../collection-errors.js';
import { CollectionRepository } from '../collection.repository.js';
import { DocumentRepository } from '../document.repository.js';

/** Ids of the collections that the caller may see; `null` = all. */
export function visibleCollectionsOf({ caller }: FastifyRequest): ReadonlySet<string> | null {
  return caller?.collections ?? null;
}

type Fields = Readonly<Record<string, unknown>> | undefined | null;

/**
 * Keeps keys that are for some collections within them. What such a key may not see is answered like what does not exist.
 *
 * A route is looked at in the places that it names (`@WithinCollections`); without any the key is not let in at all.
 */
@Injectable()
export class CollectionAccessGuard implements CanActivate {
  constructor(
    private readonly collections: CollectionRepository,
    private readonly documents: DocumentRepository,
  ) {}

  /** @throws DomainError `access.collections-only`, `collections.unknown`, `collections.not-found`, `documents.not-found` */
  async canActivate(context: ExecutionContext): Promise<true> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const allowed = visibleCollectionsOf(request);
    if (allowed === null) return true;
    for (const place of accessOf(request)?.collectionPlaces ?? []) await this.check(place, request, allowed);
    return true;
  }

  private async check(place: CollectionPlace, request: FastifyRequest, allowed: ReadonlySet<string>): Promise<void> {
    const body = request.body as Fields;
    const parameters = request.params as Record<string, string>;
    if (place === 'body') return this.checkNamed([body?.['collection']], allowed, () => '/collection');
    if (place === 'body if named') return body?.['collection'] === undefined ? undefined : this.check('body', request, allowed);
    if (place === 'query') return this.checkNamed([(request.query as Fields)?.['collection']], allowed, () => '?collection');
    if (place === 'documents') {
      const list: unknown = body?.['documents'];
      const named = Array.isArray(list) ? (list as Fields[]).map((document) => document?.['collection']) : [];
      return this.checkNamed(named, allowed, (index) => `/documents/${index}/collection`);
    }
    if (place === 'path') {
      const collection = await this.collections.find(parameters['collection'] ?? '');
      if (collection === null || !allowed.has(collection.id)) throw new DomainError('collections.not-found');
    } else if (place === 'document') {
      const id = parameters['id'] ?? '';
      if (!isUuid(id)) return;
      const document = await this.documents.find(id.toLowerCase());
      if (document === null || !allowed.has(document.collection_id)) throw new DomainError('documents.not-found');
    }
  }

  /** What is no name at all is left for the validation behind this. */
  private async checkNamed(names: readonly unknown[], allowed: ReadonlySet<string>, pointerOf: (index: number) => string): Promise<void> {
    if (names.includes(undefined)) throw new DomainError('access.collections-only');
    const found = await this.collections.findAll(names.filter((name) => typeof name === 'string'));
    const foreign = names.findIndex((name) => {
      if (typeof name !== 'string') return false;
      const collection = found.get(name);
      return collection === undefined || !allowed.has(collection.id);
    });
    if (foreign >= 0) throw unknownCollection(pointerOf(foreign));
  }
}
