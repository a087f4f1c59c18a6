import type { FieldProblem } from '#kernel';
import { boundedPointer, jsonPointerOf, pointerTokenOf } from './json-pointer.js';

/** Most errors that one problem lists; a body of 1 MiB can hold some 100,000 bad fields. */
export const FIELD_PROBLEMS_LIMIT = 50;

/** What zod says about one defect; the fields beyond `path` and `message` depend on the code. */
export interface SchemaIssue {
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[];
  readonly message: string;
  readonly code?: string;
  readonly expected?: string;
  readonly origin?: string;
  readonly minimum?: number | bigint;
  readonly maximum?: number | bigint;
  readonly inclusive?: boolean;
  readonly keys?: readonly string[];
  readonly values?: readonly unknown[];
  readonly errors?: readonly (readonly SchemaIssue[])[];
  readonly params?: { readonly code?: string };
}

/** Where the validated value came from. */
export interface ValueOrigin {
  readonly type: 'body' | 'query' | 'param' | 'custom';
  /** Name of the single parameter, when it is one. */
  readonly name?: string;
}

/** Says what was refused: one entry per field, in the terms of the API; never the value itself. */
export function fieldProblemsOf(issues: readonly SchemaIssue[], value: unknown, origin: ValueOrigin): FieldProblem[] {
  const problems: FieldProblem[] = [];
  for (const issue of issues) {
    if (problems.length >= FIELD_PROBLEMS_LIMIT) break;
    const path = (issue.path ?? []).map((part) => (typeof part === 'object' ? part.key : part));
    if (issue.code === 'unrecognized_keys') {
      for (const key of (issue.keys ?? []).slice(0, FIELD_PROBLEMS_LIMIT - problems.length)) {
        problems.push({ pointer: pointerOf([...path, key], origin), code: 'unknown-field', detail: 'is not known here' });
      }
      continue;
    }
    problems.push({ pointer: pointerOf(path, origin), ...ruleOf(issue, valueAt(value, path)) });
  }
  return problems;
}

/** JSON pointer into the body; `?name` for a query parameter; `:name` for one of the path. */
function pointerOf(path: readonly PropertyKey[], origin: ValueOrigin): string {
  const parts = origin.name === undefined ? path : [origin.name, ...path];
  if (origin.type === 'body') return jsonPointerOf(parts);
  return boundedPointer(`${origin.type === 'query' ? '?' : ':'}${parts.map(pointerTokenOf).join('/')}`);
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let current = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return undefined;
    current = (current as Record<PropertyKey, unknown>)[key];
  }
  return current;
}

type Rule = Pick<FieldProblem, 'code' | 'detail'>;

function ruleOf(issue: SchemaIssue, value: unknown): Rule {
  if (value === undefined && issue.code !== 'custom') return { code: 'required', detail: 'is required' };
  switch (issue.code) {
    case 'invalid_type':
      return wrongType(issue.expected ?? 'another type', value);
    case 'too_small':
      return bounded(issue, 'minimum');
    case 'too_big':
      return bounded(issue, 'maximum');
    case 'invalid_value':
      return { code: 'not-allowed', detail: `must be one of ${(issue.values ?? []).map((allowed) => String(allowed)).join(', ')}` };
    case 'invalid_format':
      return { code: 'invalid-format', detail: issue.message.startsWith('must') ? issue.message : `has the wrong form: ${issue.message}` };
    case 'invalid_union':
      return unionRule(issue, value);
    case 'custom':
      return { code: issue.params?.code ?? 'invalid', detail: issue.message };
    default:
      return { code: 'invalid', detail: 'is not valid' };
  }
}

function wrongType(expected: string, value: unknown): Rule {
  if (Array.isArray(value))
    return { code: expected === 'string' ? 'repeated' : 'wrong-type', detail: `must be one ${expected}, not a list` };
  const article = /^[aeiou]/.test(expected) ? 'an' : 'a';
  return { code: 'wrong-type', detail: `must be ${article} ${expected === 'int' ? 'whole number' : expected}` };
}

function bounded(issue: SchemaIssue, side: 'minimum' | 'maximum'): Rule {
  const isMinimum = side === 'minimum';
  const limit = String(issue[side]);
  const amount = `at ${isMinimum ? 'least' : 'most'} ${limit}`;
  switch (issue.origin) {
    case 'string':
      return { code: isMinimum ? 'too-short' : 'too-long', detail: `must have ${amount} ${limit === '1' ? 'character' : 'characters'}` };
    case 'array':
      return { code: isMinimum ? 'too-few' : 'too-many', detail: `must have ${amount} ${limit === '1' ? 'entry' : 'entries'}` };
    default:
      return {
        code: isMinimum ? 'too-small' : 'too-large',
        detail: issue.inclusive === false ? `must be ${isMinimum ? 'above' : 'below'} ${limit}` : `must be ${amount}`,
      };
  }
}

/** The branch that got furthest knows best: one whose complaint is not about the type of the value itself. */
function unionRule(issue: SchemaIssue, value: unknown): Rule {
  const branches = issue.errors ?? [];
  const telling = branches.find(
    (branch) => branch.length > 0 && branch.every(({ code, path }) => code !== 'invalid_type' || (path?.length ?? 0) > 0),
  );
  const first = telling?.[0];
  if (first === undefined) return { code: 'wrong-type', detail: 'has the wrong type' };
  if (first.code === 'unrecognized_keys') return { code: 'unknown-field', detail: 'has a field that is not known here' };
  return ruleOf(
    first,
    valueAt(
      value,
      (first.path ?? []).map((part) => (typeof part === 'object' ? part.key : part)),
    ),
  );
}
