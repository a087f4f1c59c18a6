import { openSpan, type OpenSpan } from '#observability';
import type { FastifyReply, FastifyRequest } from 'fastify';

const SERVER_ERROR = 500;

/** One span per request, by the pattern of its route; what its handler does is inside. */
export class RequestSpans {
  private readonly spans = new WeakMap<FastifyRequest, OpenSpan>();

  begin(request: FastifyRequest, { raw }: FastifyReply): void {
    const route = request.is404 ? 'unmatched' : (request.routeOptions.url ?? 'unmatched');
    const attributes = { 'http.request.method': request.method, 'http.route': route, 'kindred.request_id': request.id };
    const span = openSpan(`${request.method} ${route}`, attributes, request.headers);
    if (span === null) return;
    this.spans.set(request, span);
    raw.once('close', () => {
      span.set({ 'http.response.status_code': raw.statusCode });
      span.end(raw.statusCode >= SERVER_ERROR ? { code: String(raw.statusCode) } : undefined);
    });
  }

  /** Goes on with the request inside of its span. */
  within(request: FastifyRequest, goOn: () => void): void {
    const span = this.spans.get(request);
    if (span === undefined) goOn();
    else span.run(goOn);
  }
}
