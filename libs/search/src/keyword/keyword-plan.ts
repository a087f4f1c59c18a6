import type { Term } from './query-terms.js';

/** What the planner of PostgreSQL knows of the rows. */
export interface TableStatistics {
  /** About; 0 = not known. */
  readonly rows: number;
  /** Share of the rows that have a lexeme, of the most common ones only. */
  readonly frequencies: ReadonlyMap<string, number>;
  /** Lexemes that are not among them are in at most this share of the rows. */
  readonly leastFrequency: number;
}

/** A part of the score: the weight of its terms times how well a row has them. */
export interface TermClass {
  /** A tsquery: any of the terms. */
  readonly query: string;
  readonly weight: number;
}

export interface KeywordPlan {
  /** Rows are taken from these, in this order, until there are enough to rank. Each is a tsquery. */
  readonly candidates: readonly string[];
  /** At most {@link TERM_CLASSES}. */
  readonly classes: readonly TermClass[];
}

/**
 * Rows that are ranked for one text. Ranking costs about 5 microseconds a row, so it is what a search of frequent words must not do for all of them.
 */
export const RANKED_ROWS = 500;

/** Terms that are about equally rare share one call of ts_rank for each row. */
export const TERM_CLASSES = 4;
/** Shares of rows that part the classes: in less than one row of a hundred, of twenty, of five, or more. */
const CLASS_BORDERS = [0.01, 0.05, 0.2];
/** A word in nearly every row still tells a row that has it from one that has not. */
const FREQUENCY_MAXIMUM = 0.9;
/** Terms whose combinations are looked for; the number of combinations grows with its square. */
const COMBINED_TERMS = 8;

/**
 * Decides which rows are ranked, and by what.
 *
 * The score of a row is the sum over the terms that it has of their weight, times ts_rank for the term alone, which grows with the number of places and the
 * label of the best one and never exceeds 1. The weight of a term is ln(1 / share of the rows that have it), as in BM25, and all weights together are 1: so the
 * score says how much of what was looked for the row has, whatever the text. A row without the rare terms cannot overtake rows with them, and it is enough to
 * rank those that have the rarest, or most of them: first rows that have several rare terms, then one, then the frequent terms, together. Where fewer than
 * {@link RANKED_ROWS} have any term, all of them are ranked, and the order is exact.
 */
export function planKeywords(terms: readonly Term[], { rows, leastFrequency }: TableStatistics, isFiltered: boolean): KeywordPlan {
  const expected = ({ frequency }: Term) => (frequency === null ? 0 : frequency * rows);
  const rare = terms.filter((term) => expected(term) <= RANKED_ROWS);
  const frequent = terms.filter((term) => expected(term) > RANKED_ROWS);
  const candidates = [...rareCandidates(rare, frequent, rows), ...frequentCandidates(frequent, rows, isFiltered)];
  return { candidates, classes: classesOf(terms, leastFrequency) };
}

function rareCandidates(rare: readonly Term[], frequent: readonly Term[], rows: number): string[] {
  if (rare.length === 0) return [];
  const any = anyOf(rare);
  // Then they are all ranked whatever they are, and looking for some of them first would be in vain.
  if (rows <= RANKED_ROWS) return [any];
  const combined = rare.slice(0, COMBINED_TERMS);
  const [first] = rare;
  if (combined.length === 1)
    return frequent.length === 0 ? [any] : [`${inAnyForm(first!)} & (${anyOf(frequent.slice(0, COMBINED_TERMS))})`, any];
  return [...(combined.length > 3 ? [atLeast(3, combined)] : []), atLeast(2, combined), any];
}

/** All of as many as are needed to leave few enough, then of fewer and fewer. */
function frequentCandidates(frequent: readonly Term[], rows: number, isFiltered: boolean): string[] {
  const chain: string[] = [];
  let expected = rows;
  for (const [index, term] of frequent.entries()) {
    if (index > 0 && expected <= RANKED_ROWS) break;
    expected *= term.frequency!;
    chain.unshift(
      frequent
        .slice(0, index + 1)
        .map(inAnyForm)
        .join(' & '),
    );
  }
  // Any of these alone is in more rows than are ranked, so the others are only met when a filter leaves out most of them.
  return isFiltered && frequent.length > 1 ? [...chain, anyOf(frequent)] : chain;
}

function classesOf(terms: readonly Term[], leastFrequency: number): TermClass[] {
  const weightOf = ({ frequency }: Term) => -Math.log(Math.min(frequency ?? leastFrequency, FREQUENCY_MAXIMUM));
  const total = terms.reduce((sum, term) => sum + weightOf(term), 0);
  const classes = Array.from({ length: TERM_CLASSES }, (): Term[] => []);
  for (const term of terms) classes[CLASS_BORDERS.filter((border) => (term.frequency ?? 0) >= border).length]!.push(term);
  return classes
    .filter((members) => members.length > 0)
    .map((members) => ({
      query: anyOf(members),
      // ts_rank gives the mean over the lexemes.
      weight: members.reduce((sum, term) => sum + term.lexemes.length * weightOf(term), 0) / total,
    }));
}

function anyOf(terms: readonly Term[]): string {
  return terms.flatMap(({ lexemes }) => lexemes.map(quoted)).join(' | ');
}

/** At least `count` of the terms: one of them, and of those behind it one less. */
function atLeast(count: number, terms: readonly Term[]): string {
  if (count === 1) return `(${anyOf(terms)})`;
  const branches = terms
    .slice(0, terms.length - count + 1)
    .map((term, index) => `${inAnyForm(term)} & ${atLeast(count - 1, terms.slice(index + 1))}`);
  return `(${branches.join(' | ')})`;
}

function inAnyForm({ lexemes }: Term): string {
  return lexemes.length === 1 ? quoted(lexemes[0]!) : `(${lexemes.map(quoted).join(' | ')})`;
}

/** A lexeme as the input of tsquery reads it: whatever stands between the quotes is one word. */
export function quoted(lexeme: string): string {
  return `'${lexeme.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
