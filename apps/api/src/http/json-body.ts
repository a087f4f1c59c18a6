import { isUtf8 } from 'node:buffer';
import { DomainError, type FieldProblem } from '#kernel';
import { JSON_DEPTH_LIMIT } from './limits.js';
import { findJsonDefect } from './json-defect.js';

/**
 * Parses a JSON body strictly: valid UTF-8 without byte order mark, no nesting beyond {@link JSON_DEPTH_LIMIT}, no name twice in one object,
 * nowhere the name `__proto__`.
 *
 * @throws DomainError `request.malformed-json`, `request.invalid`
 */
export function parseJsonBody(body: Buffer): unknown {
  // Buffer.toString would replace bad bytes, and what is stored would not be what was sent.
  if (!isUtf8(body)) throw new DomainError('request.malformed-json', { detail: 'The body is not valid UTF-8' });
  const text = body.toString('utf8');
  const defect = findJsonDefect(text, JSON_DEPTH_LIMIT);
  if (defect === 'too-deep') throw refused('too-deep', `must not be nested deeper than ${JSON_DEPTH_LIMIT} levels`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new DomainError('request.malformed-json', { cause });
  }
  if (defect === 'duplicate-name') throw refused('duplicate-name', 'must not have the same name twice in one object');
  if (defect === 'forbidden-name') throw refused('forbidden-name', 'must not use the name __proto__');
  return value;
}

function refused(code: string, detail: string): DomainError {
  const fields: FieldProblem[] = [{ pointer: '', code, detail }];
  return new DomainError('request.invalid', { detail: `The body ${detail}`, fields });
}
