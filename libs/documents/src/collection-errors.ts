import { DomainError } from '#kernel';

/** A request names a collection that does not exist. @param pointer where it does so */
export function unknownCollection(pointer: string): DomainError {
  const detail = 'is neither the name nor the id of a collection';
  return new DomainError('collections.unknown', { fields: [{ pointer, code: 'unknown-collection', detail }] });
}
