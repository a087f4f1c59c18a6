import { z } from 'zod';
import { SEARCH_MODES, type SearchMode } from '../search-types.js';

/** How a search finds rows. @param byDefault what eval has shown to be best for the kind of row */
export const modeField = (byDefault: SearchMode) =>
  z
    .enum(SEARCH_MODES)
    .describe(
      'vector = by meaning; keyword = by words, in PostgreSQL; hybrid = by both, fused by their ranks. While neither the index nor a copy of it can answer, or the model cannot, every mode answers by words, with degraded and source: keyword',
    )
    .default(byDefault);

export const thresholdField = z
  .number()
  .min(-1)
  .max(1)
  .optional()
  .describe(
    'Only results at least this similar (cosine). When it is named, every result whose similarity is known reaches it, however it was found. When it is not, SIMILARITY_THRESHOLD (normally 0.3) holds for results that only their vectors found: a word in common is a reason of its own',
  );

/** What each result of a search has beside its row. */
export const hitFields = {
  similarity: z
    .number()
    .nullable()
    .describe('Cosine, 4 decimals, whatever found the result; null when no vector was asked for, or the index does not have the row yet'),
  rank: z.number().int().describe('From 1, without gaps'),
  scores: z
    .strictObject({
      vector: z.strictObject({ similarity: z.number(), rank: z.number().int() }).nullable(),
      keyword: z
        .strictObject({
          score: z
            .number()
            .describe('How much of the words of the text the row has, rare ones counting more; 1 = all of them, often and in the name'),
          rank: z.number().int(),
        })
        .nullable(),
      fused: z
        .number()
        .describe('What the order was made by: the sum of 1 / (60 + rank) over the lists that have the result among their first 20'),
    })
    .optional()
    .describe('Not in answers by vector alone: where the result stood in each list; null = not in what was read of it'),
};
