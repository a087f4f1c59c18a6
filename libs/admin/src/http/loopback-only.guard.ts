import { DomainError } from '#kernel';
import { Injectable, type CanActivate, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { refusalOf } from './loopback.js';

/** Lets requests pass that were sent on this machine, by a program or a page of this service. */
@Injectable()
export class LoopbackOnlyGuard implements CanActivate {
  /** @throws DomainError `admin.loopback-only` */
  canActivate(context: ExecutionContext): true {
    const { raw } = context.switchToHttp().getRequest<FastifyRequest>();
    // The peer of the socket, not Fastify's `ip`, which may come from a header.
    const refusal = refusalOf({ remoteAddress: raw.socket.remoteAddress, headers: raw.headers });
    if (refusal === null) return true;
    throw new DomainError('admin.loopback-only', { detail: `Only requests from this machine are answered here; ${refusal}` });
  }
}
