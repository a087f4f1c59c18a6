import { DomainError, type FieldProblem } from '#kernel';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { acceptsJson } from './accepts-json.js';
import { HEADER_COUNT_LIMIT } from './limits.js';
import { isMalformedQuery } from './query-string.js';
import { REQUEST_ID_HEADER } from './request-id.js';
import type { RouteTable } from './route-table.js';

/** Pages and metrics answer in other forms than JSON; so do routes that say `answersOtherForms`, or name some there. */
const OTHER_FORMS = /^\/(docs|metrics)(\/|$)/;

/** The one route of the CORS plugin; it stands for no path of ours. */
export const ANY_PATH = '*';

/** Looks at every request before its body is read: path, method, Accept, content coding and query string. */
export function checkRequest(routes: RouteTable, request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void): void {
  reply.header(REQUEST_ID_HEADER, request.id);
  const path = pathOf(request.raw.url ?? '/');
  if (request.is404 || request.routeOptions.url === ANY_PATH) {
    const allowed = routes.allowedMethods(path);
    if (request.method === 'OPTIONS' && allowed.length > 0) {
      void reply.status(204).header('allow', allowed.join(', ')).send();
      return;
    }
    done(missOf(request.method, allowed));
    return;
  }
  done(refusalOf(request, path));
}

function missOf(method: string, allowed: readonly string[]): DomainError {
  if (allowed.length === 0) return new DomainError('request.not-found');
  return new DomainError('request.method-not-allowed', {
    detail: `This path does not answer ${method}`,
    headers: { Allow: allowed.join(', ') },
  });
}

function refusalOf(request: FastifyRequest, path: string): DomainError | undefined {
  // Names and values in turn.
  if (request.raw.rawHeaders.length > 2 * HEADER_COUNT_LIMIT) {
    const fields: FieldProblem[] = [{ pointer: '@', code: 'too-many', detail: `must be at most ${HEADER_COUNT_LIMIT} headers` }];
    return new DomainError('request.invalid', { detail: `The request has more than ${HEADER_COUNT_LIMIT} headers`, fields });
  }
  if (!acceptsJson(request.headers.accept) && !answersOtherForms(request, path)) return new DomainError('request.not-acceptable');
  const coding = request.headers['content-encoding'];
  if (coding !== undefined && coding.trim().toLowerCase() !== 'identity') {
    return new DomainError('request.unsupported-media-type', {
      detail: 'Compressed bodies are not read; send it without Content-Encoding',
    });
  }
  if (isMalformedQuery(request.query)) {
    const fields: FieldProblem[] = [{ pointer: '?', code: 'malformed-encoding', detail: 'must be percent-encoded UTF-8' }];
    return new DomainError('request.invalid', { detail: 'The query string is not valid percent-encoded UTF-8', fields });
  }
  return undefined;
}

function answersOtherForms(request: FastifyRequest, path: string): boolean {
  const { answersOtherForms: forms = false } = request.routeOptions.config as { readonly answersOtherForms?: boolean | readonly string[] };
  if (typeof forms === 'boolean') return forms || OTHER_FORMS.test(path);
  const accepted = request.headers.accept?.toLowerCase() ?? '';
  return forms.some((form) => accepted.includes(form));
}

function pathOf(url: string): string {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
}
