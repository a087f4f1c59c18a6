import type { AuditEntry } from '#security';
import { z } from 'zod';
import { pageLimit, timestamp } from './admin-rules.js';

const LIMIT_DEFAULT = 50;

/** Position of an entry. */
const cursor = z.string().regex(/^[1-9]\d{0,17}$/, 'must be the next_cursor of a page before');

export const auditQuerySchema = z.strictObject({
  limit: pageLimit(LIMIT_DEFAULT, 'Entries').optional(),
  cursor: cursor.optional().describe('next_cursor of the page before'),
});
export type AuditParameters = z.output<typeof auditQuerySchema>;
export const limitOf = ({ limit }: AuditParameters): number => limit ?? LIMIT_DEFAULT;

const auditEntrySchema = z
  .strictObject({
    id: z.string().meta({ format: 'uuid' }),
    at: timestamp,
    ended_at: timestamp.nullable(),
    key_id: z.string().nullable().describe('null = no key was asked for, or the command line acted on the database itself'),
    key_name: z.string().nullable(),
    channel: z.enum(['http', 'cli']),
    action: z.string().describe('Method and route, or the command'),
    target: z.string().nullable().describe('What it acted on'),
    detail: z.unknown().describe('What was asked for'),
    address: z.string().nullable(),
    request_id: z.string().nullable(),
    result: z.enum(['ok', 'refused', 'failed', 'unknown']).describe('unknown: it has not ended, or its process did not live to say so'),
    code: z.string().nullable().describe('Of the error'),
  })
  .meta({ id: 'AuditEntry' });
export type AuditReply = z.output<typeof auditEntrySchema>;

export const auditPageSchema = z
  .strictObject({
    items: z.array(auditEntrySchema),
    next_cursor: z.string().nullable().describe('Pass as cursor for the next page; null on the last one'),
  })
  .meta({ id: 'AuditPage' });

export const AUDIT_EXAMPLE: AuditReply = {
  id: '0197a6b2-7d20-7f4e-8a6b-1c2d3e4f5a6b',
  at: '2026-11-21T08:00:00.000Z',
  ended_at: '2026-11-21T08:00:00.120Z',
  key_id: '3f9a1c0b7d42',
  key_name: 'on call',
  channel: 'http',
  action: 'POST /api/v1/admin/generations/:id/switch',
  target: '2',
  detail: { force: true },
  address: '10.0.0.7',
  request_id: '6f1c7a54-8a57-4c3e-9d0a-2f6f0f9b1c55',
  result: 'ok',
  code: null,
};

export function auditReplyOf(entry: AuditEntry): AuditReply {
  return {
    id: entry.actId,
    at: entry.begunAt.toISOString(),
    ended_at: entry.endedAt?.toISOString() ?? null,
    key_id: entry.keyId,
    key_name: entry.keyName,
    channel: entry.channel,
    action: entry.action,
    target: entry.target,
    detail: entry.detail ?? null,
    address: entry.address,
    request_id: entry.requestId,
    result: entry.result,
    code: entry.code,
  };
}
