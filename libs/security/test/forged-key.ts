import { crc32 } from 'node:zlib';

/** The key with another secret, built as carefully as a real one: the checksum fits, so that only the comparison can tell. */
export function withSecret(key: string, change: (secret: string) => string): string {
  const [name, keyId, secret] = key.split('_');
  const head = `${name}_${keyId}_${change(secret!)}`;
  return `${head}_${crc32(head).toString(16).padStart(8, '0')}`;
}
