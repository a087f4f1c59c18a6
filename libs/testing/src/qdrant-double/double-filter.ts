import { badJson } from './double-failure.js';
import { sipHash24 } from './sip-hash.js';
import { asArray, isObject, textOf, type Json, type JsonObject } from './double-types.js';

export type PointPredicate = (id: string, payload: JsonObject) => boolean;

/** What the filter language can do depends on the version that the double claims to be. */
export interface FilterFeatures {
  readonly hasSlices: boolean;
}

/** Compiles a filter. An empty or absent clause is no condition, also `should`, as in Qdrant. */
export function compileFilter(filter: Json | undefined, features: FilterFeatures): PointPredicate {
  if (filter === undefined || filter === null) return () => true;
  if (!isObject(filter)) throw badJson('invalid type: expected struct Filter');
  const compileAll = (clause: Json | undefined): PointPredicate[] =>
    asArray(clause).map((condition) => compileCondition(condition, features));
  const [must, should, mustNot] = [compileAll(filter['must']), compileAll(filter['should']), compileAll(filter['must_not'])];
  return (id, payload) =>
    must.every((holds) => holds(id, payload)) &&
    (should.length === 0 || should.some((holds) => holds(id, payload))) &&
    !mustNot.some((holds) => holds(id, payload));
}

/** The payload keys that a filter reads, in order, with the index type that serves them in strict mode. */
export function filteredKeys(filter: Json | undefined): { readonly key: string; readonly type: string }[] {
  if (!isObject(filter)) return [];
  const nested = ['must', 'should', 'must_not'].flatMap((clause) => asArray(filter[clause]).flatMap(filteredKeys));
  if (typeof filter['key'] !== 'string') return nested;
  return [{ key: filter['key'], type: isObject(filter['match']) && typeof filter['match']['value'] !== 'number' ? 'keyword' : 'integer' }];
}

function compileCondition(condition: Json, features: FilterFeatures): PointPredicate {
  if (isObject(condition)) {
    if ('has_id' in condition) return compileHasId(condition['has_id']);
    if (isObject(condition['is_empty'])) return isEmpty(textOf(condition['is_empty']['key']));
    if (isObject(condition['is_null'])) return isNull(textOf(condition['is_null']['key']));
    if (isObject(condition['slice']) && features.hasSlices) return inSlice(condition['slice']);
    if (typeof condition['key'] === 'string') return compileField(condition['key'], condition);
    if ('must' in condition || 'should' in condition || 'must_not' in condition) return compileFilter(condition, features);
  }
  throw badJson(
    'Expected some form of condition, which can be a field condition (like {"key": ..., "match": ... }), or some other mentioned in the documentation',
  );
}

function compileHasId(value: Json | undefined): PointPredicate {
  const ids = new Set(asArray(value).map((id) => textOf(id).toLowerCase()));
  return (id) => ids.has(id);
}

function isEmpty(key: string): PointPredicate {
  return (_id, payload) => asArray(payload[key]).length === 0;
}

function isNull(key: string): PointPredicate {
  return (_id, payload) => payload[key] === null;
}

function inSlice(slice: JsonObject): PointPredicate {
  const [total, index] = [BigInt(Number(slice['total'])), BigInt(Number(slice['index']))];
  return (id) => sipHash24(id.includes('-') ? Buffer.from(id.replaceAll('-', ''), 'hex') : littleEndian(id)) % total === index;
}

function littleEndian(id: string): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(id));
  return bytes;
}

function compileField(key: string, condition: JsonObject): PointPredicate {
  const accepts = isObject(condition['match']) ? compileMatch(condition['match']) : compileRange(condition['range']);
  return (_id, payload) => asArray(payload[key]).some(accepts);
}

function compileMatch(match: JsonObject): (value: Json) => boolean {
  if ('value' in match) {
    if (typeof match['value'] === 'number' && !Number.isInteger(match['value'])) throw mismatchedMatch();
    return (value) => value === match['value'];
  }
  const values = asArray(match['any']);
  // One request may list texts or whole numbers, never both, and nothing else.
  const isUniform = values.every((value) => typeof value === 'string') || values.every((value) => Number.isInteger(value));
  if (!Array.isArray(match['any']) || !isUniform) throw mismatchedMatch();
  return (value) => values.some((wanted) => wanted === value);
}

function compileRange(range: Json | undefined): (value: Json) => boolean {
  if (!isObject(range)) throw badJson('At least one field condition must be specified');
  const bound = (name: string): number | undefined => (typeof range[name] === 'number' ? range[name] : undefined);
  const [gt, gte, lt, lte] = [bound('gt'), bound('gte'), bound('lt'), bound('lte')];
  return (value) =>
    typeof value === 'number' &&
    (gt === undefined || value > gt) &&
    (gte === undefined || value >= gte) &&
    (lt === undefined || value < lt) &&
    (lte === undefined || value <= lte);
}

function mismatchedMatch(): Error {
  return badJson('data did not match any variant of untagged enum MatchInterface');
}
