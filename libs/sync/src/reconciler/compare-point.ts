import type { PayloadValue, StoredPoint } from '#vector-store';
import { isUuid } from '#kernel';
import { bucketOf, payloadHashOf } from '../hashing.js';
import type { LedgerEntry } from '../ledger/list-entries.js';
import type { DifferenceKind } from './certificate.js';

/** A row with the hashes that were computed from it just now. */
export interface RowState {
  readonly payload: Readonly<Record<string, PayloadValue>>;
  /** Hex; `null` when the template has changed since the generation was built, so that the text cannot be rendered as it was. */
  readonly textHash: string | null;
  /** Hex. */
  readonly payloadHash: string;
}

/** What the database says about one id, in one snapshot. */
export interface DatabaseSide {
  readonly entry: LedgerEntry | null;
  readonly row: RowState | null;
}

/** What both sides of an id are, for the digest. */
export interface Fingerprint {
  readonly rev: number;
  readonly textHash: string;
  readonly payloadHash: string;
  readonly modelRev: string;
}

export type Verdict =
  | { readonly outcome: 'verified'; readonly expected: Fingerprint; readonly found: Fingerprint }
  | {
      readonly outcome: 'difference';
      readonly kind: DifferenceKind;
      readonly expected: Fingerprint | null;
      readonly found: Fingerprint | null;
    }
  /** Not judged: a relay is not done with it, or has given it up; or there is nothing on either side. */
  | { readonly outcome: 'in-flight' | 'tombstone' | 'dead' | 'nothing' };

export interface ComparedGeneration {
  readonly modelRev: string;
  /** Whether every row must have an entry; not so while the generation is being filled. */
  readonly isFilled: boolean;
}

/** Fields that every point of Kindred carries beside those that filters read. */
const OWN_FIELDS: ReadonlySet<string> = new Set(['rev', 'text_hash', 'payload_hash', 'model_rev', 'bucket']);

/** Whether the point has the shape that Kindred gives to its points. Anything else was written by somebody else. */
export function isOwnPoint({ id, payload }: StoredPoint): boolean {
  return (
    isUuid(id) &&
    Number.isSafeInteger(payload.rev) &&
    typeof payload.text_hash === 'string' &&
    typeof payload.payload_hash === 'string' &&
    typeof payload.model_rev === 'string' &&
    typeof payload.bucket === 'string'
  );
}

/**
 * Compares the two sides of one id (protocol rule 9): the point must carry the recorded rev, and its hashes must be those of the ledger and of the row as
 * it is. Comparing the point with the ledger alone would prove nothing about a write that the ledger never heard of.
 */
export function comparePoint(id: string, { entry, row }: DatabaseSide, point: StoredPoint | null, generation: ComparedGeneration): Verdict {
  if (entry === null) return compareUnknown(row, point, generation);
  if (entry.state === 'dead') return { outcome: 'dead' };
  if (entry.state === 'tombstone') return { outcome: 'tombstone' };
  if (entry.state === 'pending' || entry.isLeased) return { outcome: 'in-flight' };
  const expected = row === null ? null : expectedOf(entry, row, generation.modelRev);
  const found = point === null ? null : foundOf(point, row);
  const difference = (kind: DifferenceKind): Verdict => ({ outcome: 'difference', kind, expected, found });
  // Removed past the triggers: with its point it is an orphan, without it the entry alone is wrong.
  if (row === null) return difference(point === null ? 'stale' : 'orphan');
  if (point === null) return difference('missing');
  if (point.payload.model_rev !== generation.modelRev) return difference('wrong_model');
  const isSame =
    point.payload.rev === entry.indexedVersion &&
    point.payload.bucket === bucketOf(id) &&
    agree(point.payload.text_hash, entry.indexedHash, row.textHash ?? entry.indexedHash) &&
    agree(point.payload.payload_hash, entry.indexedPayloadHash, row.payloadHash) &&
    found!.payloadHash === row.payloadHash;
  return isSame ? { outcome: 'verified', expected: expected!, found: found! } : difference('stale');
}

function compareUnknown(row: RowState | null, point: StoredPoint | null, generation: ComparedGeneration): Verdict {
  if (row !== null && !generation.isFilled) return { outcome: 'in-flight' };
  if (row === null && point === null) return { outcome: 'nothing' };
  const found = point === null ? null : foundOf(point, row);
  if (row === null) return { outcome: 'difference', kind: isOwnPoint(point!) ? 'orphan' : 'foreign', expected: null, found };
  const expected = { rev: 0, textHash: row.textHash ?? '', payloadHash: row.payloadHash, modelRev: generation.modelRev };
  return { outcome: 'difference', kind: point === null ? 'missing' : 'stale', expected, found };
}

const agree = (point: string, ledger: string | null, row: string | null): boolean => point === ledger && point === row;

function expectedOf(entry: LedgerEntry, row: RowState, modelRev: string): Fingerprint {
  return { rev: entry.indexedVersion ?? 0, textHash: row.textHash ?? entry.indexedHash ?? '', payloadHash: row.payloadHash, modelRev };
}

/** The payload hash is recomputed from the fields, which are what filters read; the one that the point carries is bookkeeping. */
function foundOf({ payload }: StoredPoint, row: RowState | null): Fingerprint {
  const payloadHash =
    row !== null && payload.payload_hash === row.payloadHash && hasFieldsOf(payload, row.payload)
      ? row.payloadHash
      : payloadHashOf(withoutOwnFields(payload)).toString('hex');
  return {
    rev: Number(payload.rev ?? 0),
    textHash: String(payload.text_hash ?? ''),
    payloadHash,
    modelRev: String(payload.model_rev ?? ''),
  };
}

/** A store may leave out what is null. */
function hasFieldsOf(payload: StoredPoint['payload'], wanted: RowState['payload']): boolean {
  for (const field in wanted) if ((payload[field] ?? null) !== wanted[field]) return false;
  for (const field in payload) if (!OWN_FIELDS.has(field) && !(field in wanted) && payload[field] !== null) return false;
  return true;
}

function withoutOwnFields(payload: StoredPoint['payload']): Record<string, PayloadValue> {
  return Object.fromEntries(Object.entries(payload).filter(([field]) => !OWN_FIELDS.has(field)));
}
