/** A word of a text, as the statement of `wordsStatementOf` gives it. */
export interface QueryWord {
  /** For each configuration, the lexemes that the word becomes; none = a stop word there. */
  readonly forms: readonly (readonly string[])[];
}

/** A word that is looked for, in all its forms. */
export interface Term {
  /** One or more; no other term has any of them. */
  readonly lexemes: readonly string[];
  /** Share of the rows that have it in some form, 0 to 1; `null` = not known: it is rare, or the table has never been analysed. */
  readonly frequency: number | null;
}

/**
 * More words than a person would think of; a text of 8,000 characters keeps the rarest ones. Beyond some twenty, further words hardly change what is found.
 */
const TERMS_MAXIMUM = 32;

/**
 * Chooses what is looked for: every word that is no stop word, in every form, rarest first.
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
  return mergeForms(kept.map(({ forms }) => forms.flat()))
    .map((lexemes) => ({ lexemes, frequency: sumOf(lexemes.map(frequencyOf)) }))
    .sort(byRarity)
    .slice(0, TERMS_MAXIMUM);
}

/** Words with a form in common are one word: "Küche" and "Küchen". */
function mergeForms(words: readonly (readonly string[])[]): string[][] {
  const byLexeme = new Map<string, Set<string>>();
  for (const forms of words) {
    const merged = new Set(forms.flatMap((form) => [form, ...(byLexeme.get(form) ?? [])]));
    for (const lexeme of merged) byLexeme.set(lexeme, merged);
  }
  return [...new Set(byLexeme.values())].map((lexemes) => [...lexemes]);
}

/** A row has a word in the form of its own language only, so shares add up. */
function sumOf(frequencies: readonly (number | null)[]): number | null {
  const known = frequencies.filter((frequency) => frequency !== null);
  return known.length === 0
    ? null
    : Math.min(
        1,
        known.reduce((sum, frequency) => sum + frequency, 0),
      );
}

/** Unknown ones are rarer than known ones, and of those longer words are rarer than short ones, as a rule. */
function byRarity(a: Term, b: Term): number {
  const [first, second] = [a.lexemes[0]!, b.lexemes[0]!];
  return (a.frequency ?? 0) - (b.frequency ?? 0) || second.length - first.length || (first < second ? -1 : 1);
}
