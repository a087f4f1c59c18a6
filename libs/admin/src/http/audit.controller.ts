import { noQuery } from '#rules';
import { AuditLog } from '#security';
import { Get, Query, Res, StreamableFile } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Readable } from 'node:stream';
import { AdminController } from './admin-route.js';
import { AUDIT_EXAMPLE, auditPageSchema, auditQuerySchema, auditReplyOf, limitOf, type AuditParameters } from './audit.schemas.js';

const EXPORT_TYPE = 'application/x-ndjson';
const EXPORT_PAGE_SIZE = 500;

/** What operators did. */
@AdminController('audit')
export class AuditController {
  constructor(private readonly audit: AuditLog) {}

  @Get()
  @ApiOperation({
    operationId: 'listAudit',
    summary: 'List what operators did',
    description:
      'Every request to an admin route that may change something, newest first, with what became of it. Entries cannot be changed or removed.',
  })
  @ApiOkResponse({ description: 'A page', standardSchema: auditPageSchema, example: { items: [AUDIT_EXAMPLE], next_cursor: null } })
  async list(@Query({ schema: auditQuerySchema }) query: AuditParameters) {
    const { items, nextBefore } = await this.audit.list(limitOf(query), query.cursor ?? null);
    return { items: items.map(auditReplyOf), next_cursor: nextBefore };
  }

  @Get('export')
  @RouteConfig({ answersOtherForms: true })
  @ApiOperation({
    operationId: 'exportAudit',
    summary: 'Download what operators did',
    description: 'All entries, newest first, one JSON object per line.',
  })
  @ApiOkResponse({
    description: 'The entries',
    content: { [EXPORT_TYPE]: { schema: { type: 'string' }, example: `${JSON.stringify(AUDIT_EXAMPLE)}\n` } },
  })
  export(@Query({ schema: noQuery }) _query: unknown, @Res({ passthrough: true }) reply: FastifyReply): StreamableFile {
    reply.header('content-disposition', 'attachment; filename="kindred-audit.ndjson"');
    return new StreamableFile(Readable.from(this.lines()), { type: EXPORT_TYPE });
  }

  private async *lines(): AsyncGenerator<string> {
    for (let before: string | null = null; ;) {
      const { items, nextBefore } = await this.audit.list(EXPORT_PAGE_SIZE, before);
      for (const entry of items) yield `${JSON.stringify(auditReplyOf(entry))}\n`;
      if (nextBefore === null) return;
      before = nextBefore;
    }
  }
}
