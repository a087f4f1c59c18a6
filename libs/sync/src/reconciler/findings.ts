import { isUuid } from '#kernel';
import type { StoredPoint } from '#vector-store';
import { BucketDigest } from './bucket-digest.js';
import type { DifferenceKind } from './certificate.js';
import { comparePoint, type ComparedGeneration, type DatabaseSide, type Verdict } from './compare-point.js';
import { DifferenceTally } from './difference-tally.js';
import type { SampledPoint, VectorSample } from './vector-sample.js';

/** An id that differed when it was looked at. */
export interface Suspect {
  readonly id: string;
  readonly kind: DifferenceKind;
  /** Version of its entry; `null` = it has none. */
  readonly version: number | null;
  /** `null` = no point, or one without a rev. */
  readonly pointRev: number | null;
}

/**
 * That many, and something is wrong that no repair by id should mend: a lost or foreign index is a case for a new generation, or for marking all of it.
 * Each takes about 150 bytes.
 */
export const SUSPECTS_MAXIMUM = 500_000;

const NOTHING: DatabaseSide = { entry: null, row: null };

/** What a walk has found so far: counts, suspects, digest and sample. */
export class Findings {
  rows = 0;
  points = 0;
  verified = 0;
  inFlight = 0;
  tombstones = 0;
  dead = 0;
  resolved = 0;
  highestRev = 0;
  /** Waiting for their second look. */
  suspects: Suspect[] = [];
  /** Differed twice, the same way at the same version. */
  readonly confirmed: Suspect[] = [];
  readonly differences = new DifferenceTally();
  readonly digest = new BucketDigest();

  constructor(
    private readonly generation: ComparedGeneration,
    readonly sample: VectorSample,
  ) {}

  get isFull(): boolean {
    return this.suspects.length >= SUSPECTS_MAXIMUM;
  }

  /** Compares one id at first sight. */
  look(id: string, side: DatabaseSide = NOTHING, point: StoredPoint | null): void {
    if (side.row !== null) this.rows++;
    if (point !== null) {
      this.points++;
      if (Number.isSafeInteger(point.payload.rev)) this.highestRev = Math.max(this.highestRev, point.payload.rev);
      // Such an id can be nobody's row, so there is nothing to look at again.
      if (!isUuid(id)) return this.confirmForeign(id, point);
    }
    const verdict = comparePoint(id, side, point, this.generation);
    if (verdict.outcome === 'difference') this.suspects.push(suspectOf(id, verdict, side, point));
    else this.settle(id, verdict, side);
  }

  /** Compares a suspect again, with what was read after it; returns what it is now when it has changed, and differs still. */
  lookAgain(suspect: Suspect, side: DatabaseSide = NOTHING, point: StoredPoint | null): Suspect | null {
    const verdict = comparePoint(suspect.id, side, point, this.generation);
    if (verdict.outcome !== 'difference') {
      this.resolved++;
      this.settle(suspect.id, verdict, side);
      return null;
    }
    const now = suspectOf(suspect.id, verdict, side, point);
    if (now.kind !== suspect.kind || now.version !== suspect.version) return now;
    this.confirm(now);
    this.digest.add(now.id, verdict.expected, verdict.found);
    return null;
  }

  /** It keeps changing while it is looked at: somebody is at work on it. */
  giveUp(_suspect: Suspect): void {
    this.inFlight++;
  }

  /** The stored vector of a verified id is not the one of the cache. */
  confirmVector({ id, version, rev }: SampledPoint): void {
    this.verified--;
    this.confirm({ id, kind: 'vector', version, pointRev: rev });
  }

  private confirmForeign(id: string, point: StoredPoint): void {
    this.confirm({ id, kind: 'foreign', version: null, pointRev: null });
    this.digest.add(id, null, { rev: Number(point.payload.rev ?? 0), textHash: '', payloadHash: '', modelRev: '' });
  }

  private confirm(suspect: Suspect): void {
    this.confirmed.push(suspect);
    this.differences.add(suspect.kind, suspect.id);
  }

  private settle(id: string, verdict: Exclude<Verdict, { outcome: 'difference' }>, side: DatabaseSide): void {
    switch (verdict.outcome) {
      case 'verified':
        this.verified++;
        this.digest.add(id, verdict.expected, verdict.found);
        this.sample.offer({ id, textHash: verdict.found!.textHash, version: side.entry!.version, rev: verdict.found!.rev });
        return;
      case 'tombstone':
        this.tombstones++;
        this.inFlight++;
        return;
      case 'in-flight':
        this.inFlight++;
        return;
      case 'dead':
        this.dead++;
        return;
      default:
        return;
    }
  }
}

function suspectOf(
  id: string,
  verdict: Extract<Verdict, { outcome: 'difference' }>,
  side: DatabaseSide,
  point: StoredPoint | null,
): Suspect {
  const rev = point?.payload.rev;
  return { id, kind: verdict.kind, version: side.entry?.version ?? null, pointRev: Number.isSafeInteger(rev) ? rev! : null };
}
