import { createHash } from 'node:crypto';

/** Hashes the parts with SHA-256; each part is preceded by its byte length, so that ("ab","c") and ("a","bc") differ. */
export function sha256OfParts(...parts: readonly string[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest();
}
