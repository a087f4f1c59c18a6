/** `[1]`, `[1, 2]`, `[^1]`, `【1】`, `[2-4]`: however models write them. What is taken out of documents is the same as what counts in an answer. */
const CITATION = /[[【［]\^?(\d[\d,;\s–-]*)[\]】］]/g;
/** A longer range is no citation of what a reader could check. */
const LONGEST_RANGE = 20;

export interface CheckedText {
  /** Every citation in it is `[n]` and names a passage. */
  readonly text: string;
  /** Passages that are cited, ascending. */
  readonly numbers: readonly number[];
}

/** What is removed may leave another citation behind, `[[9]2]`; nobody writes so much deeper than that by mistake. */
const PASSES_MAXIMUM = 5;
const WITH_SPACE = new RegExp(`[ \\t]{0,3}${CITATION.source}`, 'g');

/** Checks every citation in a text against the passages 1 to `count`; those that name none are removed, white space before them included. */
export function checkCitations(text: string, count: number): CheckedText {
  let checked = text;
  for (let pass = 0; pass < PASSES_MAXIMUM; pass++) {
    const { text: next, numbers } = checkOnce(checked, count);
    if (next === checked) return { text: checked.trim(), numbers };
    checked = next;
  }
  return { text: checked.replace(/[[\]【】［］]/g, '').trim(), numbers: [] };
}

function checkOnce(text: string, count: number): CheckedText {
  const cited = new Set<number>();
  const checked = text.replace(WITH_SPACE, (found: string, list: string) => {
    const valid = [...new Set(numbersIn(list))].filter((number) => number >= 1 && number <= count);
    for (const number of valid) cited.add(number);
    const space = valid.length > 0 && /^\s/.test(found) ? ' ' : '';
    return `${space}${valid.map((number) => `[${number}]`).join('')}`;
  });
  return { text: checked, numbers: [...cited].sort((a, b) => a - b) };
}

/** The text of a document, of which no number can be taken for a citation: `[3]` becomes `(3)`. */
export function citationsAsWords(text: string): string {
  return text.replace(CITATION, '($1)');
}

/** The text as somebody reads it who has other passages before him. */
export function withoutCitations(text: string): string {
  return checkCitations(text, 0).text;
}

function numbersIn(list: string): number[] {
  return list.split(/[,;]/).flatMap((part) => {
    const [first, last = first] = part.split(/[–-]/).map(Number) as [number, number?];
    if (last! < first || last! - first > LONGEST_RANGE) return [];
    return Array.from({ length: last! - first + 1 }, (_, step) => first + step);
  });
}
