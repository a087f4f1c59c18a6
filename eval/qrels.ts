import { InputError } from './input-error.js';
import { isJsonLines, linesOf, objectOf, type TextLine } from './text-lines.js';

/** Documents that are relevant to one query, with their grades: 1 and more, the higher the more relevant. */
export type Relevant = ReadonlyMap<string, number>;

interface Judgement {
  readonly query: string;
  readonly document: string;
  readonly relevance: unknown;
}

/**
 * Reads judgements: for each query of the file its relevant documents. Three forms are understood: JSON Lines `{"query", "document", "relevance"}`; BEIR, a
 * header and the columns `query-id<TAB>corpus-id<TAB>score`; and TREC, four columns `query iteration document relevance` with any space between them.
 * A grade of 0 or less says that a document was judged and is not relevant, which is the same as no judgement; a query may keep none.
 * @param queries - the ids that may be judged
 * @throws InputError naming the line: an unknown query, a grade that is no whole number, a pair judged twice, a wrong encoding, an empty file
 */
export function parseQrels(file: string, bytes: Uint8Array, queries: ReadonlySet<string>): Map<string, Relevant> {
  const lines = linesOf(file, bytes);
  const judged = new Map<string, Map<string, number>>();
  const { parse, first } = formOf(file, lines);
  if (lines.length === first) throw new InputError(file, null, 'has a header and no judgement');
  for (const line of lines.slice(first)) {
    const judgement = parse(file, line);
    const { query, document } = judgement;
    if (!queries.has(query)) throw new InputError(file, line.number, `judges ${query}, which is not among the queries`);
    const grades = judged.get(query) ?? new Map<string, number>();
    if (grades.has(document)) throw new InputError(file, line.number, `judges ${document} for ${query} a second time`);
    grades.set(document, gradeOf(file, line, judgement.relevance));
    judged.set(query, grades);
  }
  return new Map([...judged].map(([query, grades]) => [query, new Map([...grades].filter(([, grade]) => grade > 0))]));
}

function formOf(file: string, lines: readonly TextLine[]): { parse: (file: string, line: TextLine) => Judgement; first: number } {
  if (isJsonLines(lines)) return { parse: fromObject, first: 0 };
  const columns = lines[0]!.text.split(/\s+/u).length;
  if (columns === 4) return { parse: fromTrec, first: 0 };
  if (columns !== 3) throw new InputError(file, lines[0]!.number, `has ${columns} columns; four are TREC, three with a header are BEIR`);
  // Without this, the first judgement of a file without a header would be lost without a word.
  if (/^-?\d+$/u.test(lines[0]!.text.split(/\s+/u)[2]!))
    throw new InputError(file, lines[0]!.number, 'has no header: query-id, corpus-id, score');
  return { parse: fromBeir, first: 1 };
}

function fromObject(file: string, line: TextLine): Judgement {
  const { query, document, relevance } = objectOf(file, line);
  if (typeof query !== 'string' || typeof document !== 'string')
    throw new InputError(file, line.number, 'needs "query" and "document", two texts');
  return { query, document, relevance };
}

function fromTrec(file: string, line: TextLine): Judgement {
  const cells = line.text.split(/\s+/u);
  if (cells.length !== 4) throw new InputError(file, line.number, `has ${cells.length} columns instead of 4`);
  return { query: cells[0]!, document: cells[2]!, relevance: wholeNumber(cells[3]!) };
}

function fromBeir(file: string, line: TextLine): Judgement {
  const cells = line.text.split('\t').map((cell) => cell.trim());
  if (cells.length !== 3) throw new InputError(file, line.number, `has ${cells.length} columns instead of 3`);
  return { query: cells[0]!, document: cells[1]!, relevance: wholeNumber(cells[2]!) };
}

/** The number that a cell spells in digits, or the cell: `Number` would take '' for 0 and '1e1' for 10. */
function wholeNumber(cell: string): unknown {
  return /^-?\d+$/u.test(cell) ? Number(cell) : cell;
}

function gradeOf(file: string, line: TextLine, relevance: unknown): number {
  if (!Number.isSafeInteger(relevance))
    throw new InputError(file, line.number, `needs a whole number as relevance, not ${JSON.stringify(relevance)}`);
  return relevance as number;
}
