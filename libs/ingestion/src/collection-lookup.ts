import { CollectionRepository, unknownCollection } from '#documents';
import { Injectable } from '@nestjs/common';

/** Finds the collection that a parameter names. */
@Injectable()
export class CollectionLookup {
  constructor(private readonly collections: CollectionRepository) {}

  /** @throws DomainError `collections.unknown` */
  async idOf(nameOrId: string): Promise<string> {
    const collection = await this.collections.find(nameOrId);
    if (collection === null) throw unknownCollection('?collection');
    return collection.id;
  }
}
