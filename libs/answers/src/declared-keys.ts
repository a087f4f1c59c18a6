import type { Collection, MetadataFilter, MetadataScalar, MetadataType } from '#documents';
import { DomainError, type FieldProblem } from '#kernel';
import { jsonPointerOf } from '#rules';

const TYPE_NAMES: Readonly<Record<MetadataType, string>> = { keyword: 'texts', number: 'numbers', boolean: 'true and false' };

/**
 * Checks that a filter names keys that the collections declare, with values of their types.
 *
 * @param collections that are searched: the one named, or all
 * @throws DomainError `query.filter-mismatch` naming every place of a key that is wrong
 */
export function assertDeclared(filter: MetadataFilter, collections: readonly Collection[]): void {
  const types = new Map<string, Set<MetadataType>>();
  for (const { metadata_keys } of collections) {
    for (const [key, type] of Object.entries(metadata_keys)) types.set(key, (types.get(key) ?? new Set()).add(type));
  }
  const problems = new Map<string, FieldProblem>();
  for (const { key, wanted, pointer } of demandsOf(filter)) {
    const declared = types.get(key);
    if (declared === undefined)
      problems.set(pointer, { pointer, code: 'unknown-key', detail: 'is a key that no collection searched here declares' });
    else if (!declared.has(wanted))
      problems.set(pointer, {
        pointer,
        code: 'wrong-type',
        detail: `has ${[...declared].map((type) => TYPE_NAMES[type]).join(' or ')} for values`,
      });
  }
  if (problems.size > 0) throw new DomainError('query.filter-mismatch', { fields: [...problems.values()] });
}

interface Demand {
  readonly key: string;
  readonly wanted: MetadataType;
  readonly pointer: string;
}

function* demandsOf(filter: MetadataFilter): Generator<Demand> {
  switch (filter.kind) {
    case 'and':
    case 'or':
      for (const one of filter.filters) yield* demandsOf(one);
      break;
    case 'not':
      yield* demandsOf(filter.filter);
      break;
    case 'range':
      yield { key: filter.key, wanted: 'number', pointer: pointerOf(filter) };
      break;
    case 'any':
      for (const value of filter.values) yield { key: filter.key, wanted: typeOf(value), pointer: pointerOf(filter) };
  }
}

/** A filter that no request named has no place but its key. */
function pointerOf({ key, pointer }: { readonly key: string; readonly pointer?: string }): string {
  return pointer ?? jsonPointerOf(['filters', key]);
}

function typeOf(value: MetadataScalar): MetadataType {
  return typeof value === 'string' ? 'keyword' : typeof value === 'number' ? 'number' : 'boolean';
}
