import { isAddressRange } from '#kernel';
import { OVERLAP_MAXIMUM_SECONDS, SCOPES, type ApiKey, type KeyRequest } from '#security';
import { z } from 'zod';
import { timestamp, wellFormedText } from './admin-rules.js';

const NAME_MAX_LENGTH = 100;
const CIDRS_MAXIMUM = 50;
const COLLECTIONS_MAXIMUM = 100;
const RATE_MAXIMUM = 100_000_000;
const DAY_SECONDS = 24 * 3_600;

/** Of a key in a path. */
export const keyId = z
  .string()
  .regex(/^[0-9a-f]{12}$/, 'must be the id of a key: 12 hexadecimal digits')
  .meta({ openapi: { type: 'string', pattern: '^[0-9a-f]{12}$' } });

export const createKeySchema = z
  .strictObject({
    name: wellFormedText(NAME_MAX_LENGTH).min(1).describe('For people: who uses it, and for what'),
    scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length).describe('write includes read, admin includes admin:read'),
    expires_at: z.iso.datetime({ offset: true }).optional().describe('Default: never'),
    allowed_cidrs: z
      .array(
        z.string().refine(isAddressRange, { message: 'must be an address or a range such as 10.0.0.0/8', params: { code: 'not-a-range' } }),
      )
      .min(1)
      .max(CIDRS_MAXIMUM)
      .optional()
      .describe('Addresses it may be used from. Default: any'),
    rate_limit_per_minute: z.number().int().min(1).max(RATE_MAXIMUM).optional().describe('Default: RATE_LIMIT_PER_MINUTE'),
    collections: z
      .array(z.string().min(1).max(64))
      .min(1)
      .max(COLLECTIONS_MAXIMUM)
      .optional()
      .describe('Names or ids of the document collections it may see; projects are then out of its reach. Default: everything'),
  })
  .meta({ id: 'CreateKeyRequest' });
export type CreateKeyBody = z.output<typeof createKeySchema>;

export const rotateKeySchema = z
  .strictObject({
    overlap_seconds: z
      .number()
      .int()
      .min(0)
      .max(OVERLAP_MAXIMUM_SECONDS)
      .optional()
      .describe(`How long the old key goes on. Default: ${DAY_SECONDS}, a day`),
  })
  .meta({ id: 'RotateKeyRequest' });
export type RotateKeyBody = z.output<typeof rotateKeySchema>;
export const overlapOf = ({ overlap_seconds }: RotateKeyBody): number => overlap_seconds ?? DAY_SECONDS;

const keyFields = {
  id: z.string(),
  name: z.string(),
  scopes: z.array(z.enum(SCOPES)),
  collections: z
    .array(z.string().meta({ format: 'uuid' }))
    .nullable()
    .describe('null = everything'),
  allowed_cidrs: z.array(z.string()).nullable().describe('null = from anywhere'),
  rate_limit_per_minute: z.number().int().nullable().describe('null = RATE_LIMIT_PER_MINUTE'),
  replaces: z.string().nullable().describe('Id of the key that it was rotated from'),
  state: z.enum(['good', 'expired', 'revoked']),
  created_at: timestamp,
  expires_at: timestamp.nullable(),
  revoked_at: timestamp.nullable(),
  last_used_at: timestamp.nullable().describe('To the minute or so'),
};

const keySchema = z.strictObject(keyFields).meta({ id: 'ApiKey' });
export const keyListSchema = z.strictObject({ items: z.array(keySchema) }).meta({ id: 'ApiKeyList' });
export const newKeySchema = z
  .strictObject({ ...keyFields, key: z.string().describe('The key itself. It is shown this once and cannot be had again') })
  .meta({ id: 'NewApiKey' });

export const KEY_EXAMPLE = {
  id: '3f9a1c0b7d42',
  name: 'website',
  scopes: ['read' as const],
  collections: null,
  allowed_cidrs: ['10.0.0.0/8'],
  rate_limit_per_minute: 600,
  replaces: null,
  state: 'good' as const,
  created_at: '2026-11-21T08:00:00.000Z',
  expires_at: null,
  revoked_at: null,
  last_used_at: '2026-11-21T08:05:00.000Z',
};
export const NEW_KEY_EXAMPLE = { ...KEY_EXAMPLE, last_used_at: null, key: 'kdr_3f9a1c0b7d42_<64 hexadecimal digits>_<checksum>' };
export const CREATE_KEY_EXAMPLES = {
  website: {
    summary: 'For a website that searches',
    value: { name: 'website', scopes: ['read'], allowed_cidrs: ['10.0.0.0/8'], rate_limit_per_minute: 600 },
  },
  operator: { summary: 'For an operator', value: { name: 'on call', scopes: ['admin', 'write'], expires_at: '2027-01-01T00:00:00Z' } },
};

/** @param collections ids, already looked up */
export function keyRequestOf(body: CreateKeyBody, collections: readonly string[] | null): KeyRequest {
  return {
    name: body.name,
    scopes: [...new Set(body.scopes)],
    expiresAt: body.expires_at === undefined ? null : new Date(body.expires_at),
    allowedCidrs: body.allowed_cidrs ?? null,
    rateLimitPerMinute: body.rate_limit_per_minute ?? null,
    collections,
  };
}

export function keyReplyOf(key: ApiKey, now: Date): z.output<typeof keySchema> {
  const isExpired = key.expiresAt !== null && key.expiresAt <= now;
  return {
    id: key.keyId,
    name: key.name,
    scopes: [...key.scopes],
    collections: key.collections === null ? null : [...key.collections],
    allowed_cidrs: key.allowedCidrs === null ? null : [...key.allowedCidrs],
    rate_limit_per_minute: key.rateLimitPerMinute,
    replaces: key.replaces,
    state: key.revokedAt !== null ? 'revoked' : isExpired ? 'expired' : 'good',
    created_at: key.createdAt.toISOString(),
    expires_at: key.expiresAt?.toISOString() ?? null,
    revoked_at: key.revokedAt?.toISOString() ?? null,
    last_used_at: key.lastUsedAt?.toISOString() ?? null,
  };
}
