import type { MetadataFilter, MetadataScalar } from '#documents';
import { findTextDefect, jsonPointerOf } from '#rules';

/** Deeper than any filter that a person means, and far from what a stack can bear. */
const DEPTH_MAXIMUM = 5;
/** Demands and joints together. */
const NODES_MAXIMUM = 100;
const VALUES_MAXIMUM = 50;
const TEXT_MAX_LENGTH = 500;
const KEY_MAX_LENGTH = 63;
const BOUNDS: ReadonlySet<string> = new Set(['gt', 'gte', 'lt', 'lte']);

/** Why a filter was refused, and where. */
export interface FilterProblem {
  readonly path: readonly (string | number)[];
  readonly code: string;
  readonly detail: string;
}

/** Thrown inside of this file only. */
class FilterError extends Error {
  constructor(readonly problem: FilterProblem) {
    super(problem.detail);
  }
}

/**
 * Reads the `filters` of a query: an object whose entries all hold. A key of metadata has a value, a list of values (any of them) or bounds
 * (`gt`, `gte`, `lt`, `lte`); `and` and `or` have a list of such objects, `not` has one.
 *
 * @returns the filter, `null` for an object without entries, or the first problem
 */
export function parseMetadataFilter(value: unknown): { readonly filter: MetadataFilter | null } | { readonly problem: FilterProblem } {
  try {
    return { filter: new Parser().object(value, [], 1) };
  } catch (error) {
    if (error instanceof FilterError) return { problem: error.problem };
    throw error;
  }
}

class Parser {
  private nodes = 0;

  object(value: unknown, path: readonly (string | number)[], depth: number): MetadataFilter | null {
    if (depth > DEPTH_MAXIMUM) fail(path, 'too-deep', `must not be nested deeper than ${DEPTH_MAXIMUM}`);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(path, 'invalid-type', 'must be an object');
    const filters = Object.entries(value as object).map(([key, demand]) => this.entry(key, demand, [...path, key], depth));
    if (filters.length === 0) return null;
    return filters.length === 1 ? filters[0]! : { kind: 'and', filters };
  }

  private entry(key: string, demand: unknown, path: readonly (string | number)[], depth: number): MetadataFilter {
    if (++this.nodes > NODES_MAXIMUM) fail(path, 'too-many', `filters must have at most ${NODES_MAXIMUM} demands`);
    switch (key) {
      case 'and':
      case 'or':
        return { kind: key, filters: this.list(demand, path, depth) };
      case 'not':
        return { kind: 'not', filter: this.some(demand, path, depth) };
      default:
        return this.demand(key, demand, path);
    }
  }

  private list(value: unknown, path: readonly (string | number)[], depth: number): MetadataFilter[] {
    if (!Array.isArray(value) || value.length === 0) fail(path, 'invalid-type', 'must be a list of filters, at least one');
    return (value as unknown[]).map((one, index) => this.some(one, [...path, index], depth));
  }

  private some(value: unknown, path: readonly (string | number)[], depth: number): MetadataFilter {
    return this.object(value, path, depth + 1) ?? fail(path, 'required', 'must have at least one demand');
  }

  private demand(key: string, value: unknown, path: readonly (string | number)[]): MetadataFilter {
    if (key.length > KEY_MAX_LENGTH || findTextDefect(key) !== null) fail(path, 'unknown-key', 'is no key of metadata');
    const pointer = jsonPointerOf(['filters', ...path]);
    if (Array.isArray(value)) {
      if (value.length === 0 || value.length > VALUES_MAXIMUM) fail(path, 'invalid-length', `must have 1 to ${VALUES_MAXIMUM} values`);
      return { kind: 'any', key, pointer, values: value.map((one: unknown, index) => scalar(one, [...path, index])) };
    }
    if (typeof value === 'object' && value !== null) return { kind: 'range', key, pointer, ...bounds(value, path) };
    return { kind: 'any', key, pointer, values: [scalar(value, path)] };
  }
}

function scalar(value: unknown, path: readonly (string | number)[]): MetadataScalar {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value !== 'string') fail(path, 'invalid-type', 'must be a text, a number, true or false');
  const text = value as string;
  if (text.length > TEXT_MAX_LENGTH || findTextDefect(text) !== null)
    fail(path, 'invalid-text', `must have at most ${TEXT_MAX_LENGTH} characters and no NUL`);
  return text;
}

function bounds(value: object, path: readonly (string | number)[]): Partial<Record<'gt' | 'gte' | 'lt' | 'lte', number>> {
  const entries = Object.entries(value) as [string, unknown][];
  if (entries.length === 0) fail(path, 'required', 'must have at least one of gt, gte, lt, lte');
  for (const [bound, limit] of entries) {
    if (!BOUNDS.has(bound)) fail([...path, bound], 'unknown-field', 'must be gt, gte, lt or lte');
    if (typeof limit !== 'number' || !Number.isFinite(limit)) fail([...path, bound], 'invalid-type', 'must be a number');
  }
  return Object.fromEntries(entries) as Partial<Record<'gt' | 'gte' | 'lt' | 'lte', number>>;
}

function fail(path: readonly (string | number)[], code: string, detail: string): never {
  throw new FilterError({ path, code, detail });
}
