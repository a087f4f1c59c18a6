import { z } from 'zod';

/** What can be erased with a receipt. */
export const ERASURE_KINDS = ['project', 'document'] as const;
export type ErasureKind = (typeof ERASURE_KINDS)[number];

const uuid = z.uuid();

/** One line of the erasure log, and one row of `erasures`: ids and hashes, never content. */
export const erasureRecordSchema = z.object({
  erasure_id: uuid,
  kind: z.enum(ERASURE_KINDS),
  target_id: uuid,
  /** Of the index. */
  source: z.string().min(1),
  point_ids: z.array(uuid),
  /** Hex. */
  text_hashes: z.array(z.string().regex(/^([0-9a-f]{2})+$/)),
  /** RFC 3339. */
  requested_at: z.iso.datetime({ offset: true }),
});

export type ErasureRecord = z.infer<typeof erasureRecordSchema>;
