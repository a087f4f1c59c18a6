import { DomainError, type FieldProblem } from '#kernel';
import { parseStrictJson } from '#rules';

/**
 * Parses a JSON body, strictly.
 *
 * @throws DomainError `request.malformed-json`, `request.invalid`
 */
export function parseJsonBody(body: Buffer): unknown {
  const { value, defect } = parseStrictJson(body);
  if (defect === null) return value;
  if (defect.code === 'malformed-json') throw new DomainError('request.malformed-json');
  const detail = `The body ${defect.detail}`;
  if (defect.code === 'not-utf8') throw new DomainError('request.malformed-json', { detail });
  const fields: FieldProblem[] = [{ pointer: '', code: defect.code, detail: defect.detail }];
  throw new DomainError('request.invalid', { detail, fields });
}
