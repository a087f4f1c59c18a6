import { crc32 } from 'node:zlib';
import { DomainError } from '#kernel';
import type { ConsistencyToken } from './consistency-token.js';

/** Longest text that is looked at; a token of the longest source is shorter. */
export const CONSISTENCY_TOKEN_MAX_LENGTH = 200;

/**
 * Layout, all numbers big-endian: format (1 byte), id (16), generation (4), version (8), source (1 to 100, ASCII), CRC-32 of all that (4).
 * The sum tells a damaged token from a whole one; it is no signature: with a forged token a client can only make itself wait.
 */
const FORMAT = 1;
const ID_AT = 1;
const GENERATION_AT = 17;
const VERSION_AT = 21;
const SOURCE_AT = 29;
const SUM_BYTES = 4;
const SOURCE_PATTERN = /^[a-z][a-z0-9_-]{0,99}$/;
const GENERATION_MAXIMUM = 2_147_483_647;

/** Makes the opaque text of a token: base64url without padding, about 55 characters. */
export function encodeConsistencyToken({ source, id, generationId, version }: ConsistencyToken): string {
  const bytes = Buffer.alloc(SOURCE_AT + source.length + SUM_BYTES);
  bytes.writeUInt8(FORMAT, 0);
  bytes.write(id.replaceAll('-', ''), ID_AT, 'hex');
  bytes.writeUInt32BE(generationId, GENERATION_AT);
  bytes.writeBigUInt64BE(BigInt(version), VERSION_AT);
  bytes.write(source, SOURCE_AT, 'ascii');
  bytes.writeUInt32BE(crc32(bytes.subarray(0, -SUM_BYTES)), bytes.length - SUM_BYTES);
  return bytes.toString('base64url');
}

/**
 * Reads a token back.
 *
 * @param pointer where the text was found, for the error, like `/consistency_token`
 * @throws DomainError `request.invalid` with the field code `invalid-token` for everything that {@link encodeConsistencyToken} has not made
 */
export function decodeConsistencyToken(text: string, pointer: string): ConsistencyToken {
  const token = parse(text);
  if (token !== null) return token;
  const detail = 'must be a token as a write answered it, unchanged';
  throw new DomainError('request.invalid', { detail: `${pointer} ${detail}`, fields: [{ pointer, code: 'invalid-token', detail }] });
}

function parse(text: string): ConsistencyToken | null {
  if (text.length > CONSISTENCY_TOKEN_MAX_LENGTH) return null;
  const bytes = Buffer.from(text, 'base64url');
  // The decoder skips what is no base64url; only the one spelling of the bytes is a token.
  if (bytes.length <= SOURCE_AT + SUM_BYTES || bytes.toString('base64url') !== text || bytes[0] !== FORMAT) return null;
  if (crc32(bytes.subarray(0, -SUM_BYTES)) !== bytes.readUInt32BE(bytes.length - SUM_BYTES)) return null;
  const source = bytes.toString('latin1', SOURCE_AT, bytes.length - SUM_BYTES);
  const generationId = bytes.readUInt32BE(GENERATION_AT);
  const version = Number(bytes.readBigUInt64BE(VERSION_AT));
  // Within what PostgreSQL's integer and this language's numbers hold: anything else would be an error further down.
  if (!SOURCE_PATTERN.test(source) || generationId > GENERATION_MAXIMUM || !Number.isSafeInteger(version)) return null;
  return { source, id: uuidOf(bytes.toString('hex', ID_AT, GENERATION_AT)), generationId, version };
}

function uuidOf(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
