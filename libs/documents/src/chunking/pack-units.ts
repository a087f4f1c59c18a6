import { sha256OfParts } from '#kernel';
import type { TextSpan } from './text-span.js';

/** A paragraph or a sentence with its length in tokens. */
export interface Unit extends TextSpan {
  readonly tokens: number;
  /** Of what stands between it and the next one, which is part of a pack of both. */
  readonly separatorTokens: number;
}

export interface PackOptions {
  /** Longest pack; at least every single unit. */
  readonly maxTokens: number;
  /** So many tokens of the pack before are repeated at the beginning, in whole units. */
  readonly overlapTokens: number;
  /** On average one unit of so many begins a new pack, by its own words. */
  readonly unitsPerBorder: number;
  /** Whether a unit of that many tokens stands alone; default: none. */
  readonly aloneTokens?: number;
}

/**
 * Packs units, in their order, into spans of at most `maxTokens`.
 *
 * Where a pack begins is decided by the words of the unit there (a hash of them), not by how full the pack before it is. Packing by fullness alone would move
 * every border behind an edit, and so change every chunk to the end; this way the borders are the same again at the next unit that is one. For the same
 * reason what is repeated from the pack before is added when the borders are known.
 */
export function packUnits(text: string, units: readonly Unit[], options: PackOptions): TextSpan[] {
  const packs: { first: number; last: number }[] = [];
  let tokens = 0;
  units.forEach((unit, index) => {
    const pack = packs.at(-1);
    tokens += units[index - 1]?.separatorTokens ?? 0;
    const isFull = tokens + unit.tokens > options.maxTokens - options.overlapTokens;
    if (pack === undefined || isFull || isBorder(text, units, index, options)) {
      packs.push({ first: index, last: index });
      tokens = 0;
    } else pack.last = index;
    tokens += unit.tokens;
  });
  return packs.map(({ first, last }, index) => ({
    start: units[index === 0 ? first : overlapStart(units, first, last, options)]!.start,
    end: units[last]!.end,
  }));
}

function isBorder(text: string, units: readonly Unit[], index: number, { unitsPerBorder, aloneTokens = Infinity }: PackOptions): boolean {
  const { start, end, tokens } = units[index]!;
  if (tokens >= aloneTokens || units[index - 1]!.tokens >= aloneTokens) return true;
  return sha256OfParts(text.slice(start, end)).readUInt32BE(0) % unitsPerBorder === 0;
}

/** The first of the units before a pack that together are short enough to be repeated in it. */
function overlapStart(units: readonly Unit[], first: number, last: number, { overlapTokens, maxTokens }: PackOptions): number {
  let room = Math.min(overlapTokens, maxTokens - tokensOf(units.slice(first, last + 1)));
  let start = first;
  for (; start > 0; start--) {
    const { tokens, separatorTokens } = units[start - 1]!;
    room -= tokens + separatorTokens;
    if (room < 0) break;
  }
  return start;
}

/** Tokens of consecutive units with all that stands between them. */
export function tokensOf(units: readonly Unit[]): number {
  return units.reduce((sum, { tokens, separatorTokens }, index) => sum + tokens + (index < units.length - 1 ? separatorTokens : 0), 0);
}
