import { DomainError } from '#kernel';
import { Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { from, lastValueFrom, type Observable } from 'rxjs';
import { AuditLog, type AuditedAct, type AuditedResult } from '../audit-log.js';
import { clientAddressOf } from './access.hook.js';

/** Records every request that may change something: before it is worked on, and when it has ended. */
@Injectable()
export class AuditInterceptor implements NestInterceptor {
  constructor(private readonly log: AuditLog) {}

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (request.method === 'GET' || request.method === 'HEAD') return next.handle();
    return from(this.log.during(actOf(request), () => lastValueFrom(next.handle(), { defaultValue: undefined }), resultOf, targetOf));
  }
}

function actOf(request: FastifyRequest): AuditedAct {
  const target = Object.values((request.params ?? {}) as Record<string, string>).join('/');
  const body = request.body as object | undefined | null;
  return {
    keyId: request.caller?.keyId ?? null,
    keyName: request.caller?.keyName ?? null,
    channel: 'http',
    action: `${request.method} ${request.routeOptions.url ?? ''}`,
    target: target === '' ? null : target,
    detail: body === undefined || body === null || Object.keys(body).length === 0 ? null : body,
    address: clientAddressOf(request),
    requestId: request.id,
  };
}

function resultOf(error: unknown): AuditedResult {
  if (!(error instanceof DomainError)) return { result: 'failed', code: 'internal.error' };
  const isOurs = error.definition.kind === 'internal' || error.definition.kind === 'unavailable';
  return { result: isOurs ? 'failed' : 'refused', code: error.code };
}

/** The id of what was made or begun. */
function targetOf(body: unknown): string | null {
  const id = typeof body === 'object' && body !== null && 'id' in body ? body.id : null;
  return typeof id === 'string' || typeof id === 'number' ? String(id) : null;
}
