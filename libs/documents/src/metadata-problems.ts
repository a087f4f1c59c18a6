import type { FieldProblem } from '#kernel';
import type { MetadataKeys } from './collection.js';
import type { DocumentMetadata } from './document.js';

const TYPE_NAMES = { keyword: 'a text', number: 'a number', boolean: 'true or false' } as const;

/** Says which declared keys have a value of another type; null and absent are always right. */
export function findMetadataProblems(metadata: DocumentMetadata, keys: MetadataKeys, pointer = '/metadata'): FieldProblem[] {
  return Object.entries(keys).flatMap(([key, type]) => {
    const value = Object.hasOwn(metadata, key) ? metadata[key] : null;
    if (value === null || typeof value === (type === 'keyword' ? 'string' : type)) return [];
    return [{ pointer: `${pointer}/${key}`, code: 'wrong-type', detail: `must be ${TYPE_NAMES[type]}: the collection declares it so` }];
  });
}
