import { RepeatedMessages, SystemClock } from '#kernel';
import { Catch, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { domainErrorOf } from './domain-error-of.js';
import { PROBLEM_CONTENT_TYPE, problemHeadersOf, problemOf } from './problem.js';

/** Answers every error of every route, hook and parser as problem+json, and logs those that are ours. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('Http');
  private readonly messages = new RepeatedMessages(new SystemClock());

  catch(thrown: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    this.answer(thrown, request, http.getResponse<FastifyReply>());
  }

  /** Also for errors that the router meets before Nest sees the request. */
  answer(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const error = domainErrorOf(thrown);
    const problem = problemOf(error, request.id);
    if (problem.status === 500) {
      this.logger.error({
        msg: 'request failed',
        request_id: problem.request_id,
        method: request.method,
        route: request.routeOptions?.url,
        err: error.cause ?? error,
      });
    } else if (problem.status === 503) {
      const reason = error.cause instanceof Error ? error.cause.message : undefined;
      // A dependency that is away fails every request alike: once a minute is enough, with how many there were.
      const msg = this.messages.pass(problem.code, 'request not answered');
      if (msg !== null) this.logger.warn({ msg, request_id: problem.request_id, code: problem.code, reason });
    }
    if (reply.sent || reply.raw.headersSent) return;
    for (const name of ['etag', 'location']) reply.removeHeader(name);
    // A string, already serialised: no schema of the route and no serializer can change what an error looks like.
    void reply
      .status(problem.status)
      .headers(problemHeadersOf(error))
      .header('content-type', PROBLEM_CONTENT_TYPE)
      .send(JSON.stringify(problem));
  }
}
