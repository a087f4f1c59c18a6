/** A word of a text, as the statement of `wordsStatementOf` gives it. */
export interface QueryWord {
  /** For each configuration, the lexemes that the word becomes; none = a stop word there. */
  readonly forms: readonly (readonly string[])[];
}

/** A lexeme that is looked for. */
export interface Term {
  readonly lexeme: string;
  /** Share of the rows that have it, 0 to 1; `null` = not known: it is rare, or the table has never been analysed. */
  readonly frequency: number | null;
}

/**
 * More terms than a person would think of; a text of 8,000 characters keeps the rarest ones. Beyond some twenty, further words hardly change what is found.
 */
const TERMS_MAXIMUM = 32;

/**
 * Chooses what is looked for: every form of every word that is no stop word, rarest first.
 *
 * A word is looked for in the form of each configuration, because a row was taken apart by the one of its own language and a short text does not show which
 * language it is in. But a stop word of the text's language may be a rare word of another one (German "die", "war", "man"): it would find nonsense, and a rare
 * word counts most. So the configuration in which most words are stop words says which words are left out; where two are equal, both do.
 *
 * @param frequencyOf share of the rows that have a lexeme; `null` = not known
 */
export function chooseTerms(words: readonly QueryWord[], frequencyOf: (lexeme: string) => number | null): Term[] {
  const stopWords = (words[0]?.forms ?? []).map(
    (_, configuration) => words.filter(({ forms }) => forms[configuration]!.length === 0).length,
  );
  const most = Math.max(...stopWords);
  const languages = stopWords.flatMap((count, configuration) => (count === most ? [configuration] : []));
  const kept = words.filter(({ forms }) => languages.every((configuration) => forms[configuration]!.length > 0));
  const lexemes = new Set(kept.flatMap(({ forms }) => forms.flat()));
  return [...lexemes]
    .map((lexeme) => ({ lexeme, frequency: frequencyOf(lexeme) }))
    .sort(byRarity)
    .slice(0, TERMS_MAXIMUM);
}

/** Unknown ones are rarer than known ones, and of those longer words are rarer than short ones, as a rule. */
function byRarity(a: Term, b: Term): number {
  return (
    (a.frequency ?? 0) - (b.frequency ?? 0) || b.lexeme.length - a.lexeme.length || (a.lexeme < b.lexeme ? -1 : a.lexeme > b.lexeme ? 1 : 0)
  );
}
