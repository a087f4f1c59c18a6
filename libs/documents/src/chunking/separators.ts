import type { Unit } from './pack-units.js';
import type { TextSpan } from './text-span.js';

/** A part of a text that was counted alone. */
export interface CountedSpan extends TextSpan {
  readonly tokens: number;
}

/** Consecutive parts of one text. */
export interface CountedSpans {
  readonly content: string;
  readonly spans: readonly CountedSpan[];
}

/** A word of one token, to stand on both sides: blank lines at the ends of a text are nothing to some models. */
const WORD = 'a';

/**
 * Counts what stands between parts of texts. To most tokenizers that is nothing, to those that count bytes ten blank lines are ten tokens or more.
 *
 * @param countTokens as that of {@link TokenLimits}; called once, with every separator that differs
 * @returns the parts as units, in the same order
 */
export async function countSeparators(
  lists: readonly CountedSpans[],
  countTokens: (texts: readonly string[]) => Promise<number[]>,
): Promise<Unit[][]> {
  const separators = [
    ...new Set(lists.flatMap(({ content, spans }) => spans.slice(1).map((_, index) => separatorOf(content, spans, index)))),
  ];
  if (separators.length === 0) return lists.map(({ spans }) => spans.map((span) => ({ ...span, separatorTokens: 0 })));
  const [fixed, word, ...between] = await countTokens(['', WORD, ...separators.map((separator) => `${WORD}${separator}${WORD}`)]);
  const tokens = new Map(separators.map((separator, index) => [separator, Math.max(0, between[index]! - 2 * word! + fixed!)]));
  return lists.map(({ content, spans }) =>
    spans.map((span, index) => ({
      ...span,
      separatorTokens: index === spans.length - 1 ? 0 : tokens.get(separatorOf(content, spans, index))!,
    })),
  );
}

function separatorOf(content: string, spans: readonly TextSpan[], index: number): string {
  return content.slice(spans[index]!.end, spans[index + 1]!.start);
}
