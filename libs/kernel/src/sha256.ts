import { hash } from 'node:crypto';

/** Hashes the parts with SHA-256; each part is preceded by its byte length, so that ("ab","c") and ("a","bc") differ. */
export function sha256OfParts(...parts: readonly string[]): Buffer {
  // In one call: for texts as short as these, each further call into the library costs as much as the hashing.
  let text = '';
  for (const part of parts) text += `${Buffer.byteLength(part)}:${part}`;
  return hash('sha256', text, 'buffer');
}
