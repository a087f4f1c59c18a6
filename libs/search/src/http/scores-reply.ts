import type { HitScores } from '../search-types.js';

/** Digits that tell one score from the next; more would only be noise. */
const KEYWORD_SCALE = 10_000;
const FUSED_SCALE = 1_000_000;

/** Where a result stood in each list; nothing when it was found by its vector alone. */
export function scoresReplyOf(scores: HitScores | null) {
  if (scores === null) return {};
  const { vector, keyword, fused } = scores;
  return {
    scores: {
      vector,
      keyword: keyword === null ? null : { score: Math.round(keyword.score * KEYWORD_SCALE) / KEYWORD_SCALE, rank: keyword.rank },
      fused: Math.round(fused * FUSED_SCALE) / FUSED_SCALE,
    },
  };
}
