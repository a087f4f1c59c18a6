import type { WithinWrite } from '#database';
import { DomainError } from '#kernel';
import { Injectable } from '@nestjs/common';
import { ChunkDeriver } from './chunk-deriver.js';
import type { Collection, CollectionFields, CollectionPatch } from './collection.js';
import { CollectionRepository, type ExpectedVersions } from './collection.repository.js';
import { IndexDirectory } from '#sync';

/** What can be done with collections. */
@Injectable()
export class CollectionsService {
  constructor(
    private readonly repository: CollectionRepository,
    private readonly deriver: ChunkDeriver,
    private readonly directory: IndexDirectory,
  ) {}

  /**
   * @param within is committed together with the collection
   * @throws DomainError `collections.name-taken`
   */
  async create(fields: CollectionFields, within?: WithinWrite<Collection>): Promise<Collection> {
    return this.repository.insert(fields, within);
  }

  /** All of them, by name. */
  async list(): Promise<Collection[]> {
    return this.repository.list();
  }

  /** By name or id. @throws DomainError `collections.not-found` */
  async get(nameOrId: string): Promise<Collection> {
    const collection = await this.repository.find(nameOrId);
    if (collection === null) throw new DomainError('collections.not-found');
    return collection;
  }

  /** Writes the named fields; other settings of chunks make all chunks anew. @throws DomainError `collections.not-found`, `request.precondition-failed`, `collections.name-taken` */
  async patch(nameOrId: string, patch: CollectionPatch, expected: ExpectedVersions): Promise<Collection> {
    const { id } = await this.get(nameOrId);
    const collection = await this.repository.update(id, patch, expected);
    this.deriver.wake();
    return collection;
  }

  /** Takes its documents along. @throws DomainError `collections.not-found`, `request.precondition-failed` */
  async delete(nameOrId: string, expected: ExpectedVersions): Promise<void> {
    const { id } = await this.get(nameOrId);
    await this.repository.delete(id, expected);
    this.directory.wake();
  }
}
