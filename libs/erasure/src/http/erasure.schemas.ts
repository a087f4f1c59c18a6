import { z } from 'zod';
import { ERASURE_KINDS } from '../erasure-record.js';
import type { Erasure } from '../erasure.js';

const STATES = ['pending', 'proven', 'failed'] as const;
const time = (what: string) => z.iso.datetime().describe(what);
const id = (what: string) => z.string().describe(what);

/** Reply to a DELETE with `receipt=true`. */
export const acceptedErasureSchema = z.strictObject({ erasure_id: id('Ask GET /api/v1/erasures/:id for it') });

export const erasureSchema = z.strictObject({
  id: id('Of the erasure'),
  kind: z.enum(ERASURE_KINDS).describe('What was deleted'),
  target_id: id('Of the row'),
  state: z.enum(STATES).describe('proven: gone from every place below; failed: not within a day, a person has to look'),
  requested_at: time('When the row was deleted'),
  logged_at: time('When it was written down outside of the database; null = not yet').nullable(),
  finished_at: time('null = it is not over').nullable(),
  last_error: z.string().describe('Why the last round could not be finished; null = nothing went wrong in it').nullable(),
  places: z
    .array(
      z.strictObject({
        place: z.string().describe('For example row, index, embedding-cache'),
        part: z.string().describe('Of several, for example a collection or a process; empty = there is one'),
        state: z.enum(STATES),
        removed: z
          .int()
          .nonnegative()
          .describe('How much was removed there for this erasure; what others had removed before is not counted'),
        checked_at: time('Last look; null = none yet').nullable(),
        proven_at: time('When it was read that nothing is there any more').nullable(),
        detail: z.string().describe('A word for people').nullable(),
      }),
    )
    .describe('Where it was, or may have been'),
  backups: z
    .array(
      z.strictObject({
        id: id('Of the backup'),
        begun_at: time('When it was begun'),
        finished_at: time('null = it was never finished, but files may be there').nullable(),
        location: z.string().describe('Host and folder in which it was made'),
      }),
    )
    .describe('Made before the erasure, newest first: they may still hold the row. A restore from one deletes it again'),
});
export type ErasureReply = z.output<typeof erasureSchema>;

export function erasureReplyOf(erasure: Erasure): ErasureReply {
  return {
    id: erasure.id,
    kind: erasure.kind,
    target_id: erasure.targetId,
    state: erasure.state,
    requested_at: erasure.requestedAt.toISOString(),
    logged_at: textOf(erasure.loggedAt),
    finished_at: textOf(erasure.finishedAt),
    last_error: erasure.lastError,
    places: erasure.steps.map(({ place, part, state, removed, checkedAt, provenAt, detail }) => ({
      place,
      part,
      state,
      removed,
      checked_at: textOf(checkedAt),
      proven_at: textOf(provenAt),
      detail,
    })),
    backups: erasure.backups.map(({ id: backupId, begunAt, finishedAt, location }) => ({
      id: backupId,
      begun_at: begunAt.toISOString(),
      finished_at: textOf(finishedAt),
      location,
    })),
  };
}

const textOf = (at: Date | null): string | null => at?.toISOString() ?? null;
