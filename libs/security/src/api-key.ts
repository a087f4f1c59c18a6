import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** `kdr` names the product for secret scanners; the checksum lets them, and us, tell a key from a look-alike without asking anybody. */
const KEY_PATTERN = /^kdr_([0-9a-f]{12})_[0-9a-f]{64}_([0-9a-f]{8})$/;
const KEY_ID_BYTES = 6;
const SECRET_BYTES = 32;

/** A key in full, which exists only in the reply that shows it. */
export interface IssuedKey {
  readonly keyId: string;
  /** `kdr_<key id>_<64 hex digits, 256 random bits>_<CRC-32 of all before>`. */
  readonly text: string;
}

/** Makes a key. */
export function issueKey(): IssuedKey {
  const keyId = randomBytes(KEY_ID_BYTES).toString('hex');
  const head = `kdr_${keyId}_${randomBytes(SECRET_BYTES).toString('hex')}`;
  return { keyId, text: `${head}_${checksumOf(head)}` };
}

/** The id in a text that is built like a key; `null` = it is none, and needs no look into the database. */
export function keyIdOf(text: string): string | null {
  const match = KEY_PATTERN.exec(text);
  if (match === null) return null;
  const [, keyId, checksum] = match;
  return checksumOf(text.slice(0, text.lastIndexOf('_'))) === checksum ? keyId! : null;
}

function checksumOf(text: string): string {
  return crc32(text).toString(16).padStart(8, '0');
}
