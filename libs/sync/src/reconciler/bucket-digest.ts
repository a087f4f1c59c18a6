import { hash } from 'node:crypto';
import { bucketOf } from '../hashing.js';
import type { DigestReport } from './certificate.js';
import type { Fingerprint } from './compare-point.js';

/** 128 bits: a chance of 2^-64 for an accidental collision among 2^32 entries is plenty against accidents, and this is no defence against a forger. */
const DIGEST_BYTES = 16;

interface Sides {
  readonly rows: Buffer;
  readonly points: Buffer;
}

/**
 * Sums up both sides by bucket: the XOR of a hash of (id, rev, text hash, payload hash, model) for every id. Order does not matter, so sides that are
 * read in any order, or in parts, can be compared; sides that agree have equal sums, and sides that differ have different ones but for a hash collision.
 */
export class BucketDigest {
  private readonly buckets = new Map<string, Sides>();

  /** Takes in what the two sides of an id are; `null` = that side lacks it. */
  add(id: string, expected: Fingerprint | null, found: Fingerprint | null): void {
    const bucket = bucketOf(id);
    let sides = this.buckets.get(bucket);
    if (sides === undefined) {
      sides = { rows: Buffer.alloc(DIGEST_BYTES), points: Buffer.alloc(DIGEST_BYTES) };
      this.buckets.set(bucket, sides);
    }
    const expectedText = expected === null ? null : textOf(id, expected);
    const foundText = found === null ? null : textOf(id, found);
    const expectedHash = expectedText === null ? null : hashOf(expectedText);
    if (expectedHash !== null) xorInto(sides.rows, expectedHash);
    if (foundText !== null) xorInto(sides.points, foundText === expectedText ? expectedHash! : hashOf(foundText));
  }

  report(): DigestReport {
    const total: Sides = { rows: Buffer.alloc(DIGEST_BYTES), points: Buffer.alloc(DIGEST_BYTES) };
    const buckets: Record<string, { rows: string; points: string }> = {};
    for (const [bucket, { rows, points }] of [...this.buckets].sort(([a], [b]) => (a < b ? -1 : 1))) {
      xorInto(total.rows, rows);
      xorInto(total.points, points);
      buckets[bucket] = { rows: rows.toString('hex'), points: points.toString('hex') };
    }
    return { algorithm: 'xor-sha256-128/1', rows: total.rows.toString('hex'), points: total.points.toString('hex'), buckets };
  }
}

function textOf(id: string, { rev, textHash, payloadHash, modelRev }: Fingerprint): string {
  return `${id}|${rev}|${textHash}|${payloadHash}|${modelRev}`;
}

function hashOf(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

function xorInto(target: Buffer, hash: Buffer): void {
  for (let i = 0; i < DIGEST_BYTES; i++) target[i]! ^= hash[i]!;
}
