import { InputError } from './input-error.js';
import type { SetName } from './searcher.js';
import { linesOf, objectOf, type TextLine } from './text-lines.js';

type JsonObject = Readonly<Record<string, unknown>>;

export interface CorpusRow extends JsonObject {
  readonly external_id: string;
}

/** The rows that a set of queries is asked about. */
export interface Corpus {
  /** Body of `POST /api/v1/collections`; used for documents alone. */
  readonly collection: JsonObject & { readonly name: string };
  /** Bodies as the API takes them, without the collection of documents. */
  readonly rows: readonly CorpusRow[];
}

const OWN_COLLECTION = { name: 'corpus', description: 'Rows given to the evaluation.' };
/** A row needs a title; where BEIR has none, so much of the text stands in for it. */
const TITLE_CHARACTERS = 80;

/**
 * Reads rows to search in: the files of `seed/`, JSON Lines of such rows, or the corpus of a BEIR set (`{"_id", "title", "text"}` on each line).
 * @throws InputError naming the line: a row without an id, an id given twice, a wrong encoding, an empty file
 */
export function parseCorpus(set: SetName, file: string, bytes: Uint8Array): Corpus {
  const lines = linesOf(file, bytes);
  const whole = wholeFile(lines);
  const rows = whole?.rows ?? lines.map((line) => rowOf(set, file, line));
  const seen = new Set<string>();
  for (const [index, row] of rows.entries()) {
    const id = row?.external_id;
    const place = whole === null ? lines[index]!.number : null;
    if (typeof id !== 'string' || id === '') throw new InputError(file, place, `has no id in row ${index + 1}`);
    if (seen.has(id)) throw new InputError(file, place, `gives the row ${id} a second time`);
    seen.add(id);
  }
  return { collection: whole?.collection ?? OWN_COLLECTION, rows: rows as readonly CorpusRow[] };
}

/** The form of the files in `seed/`, or null when the file is another one. */
function wholeFile(lines: readonly TextLine[]): { collection?: Corpus['collection']; rows: readonly (JsonObject | null)[] } | null {
  let value: unknown;
  try {
    value = JSON.parse(lines.map(({ text }) => text).join('\n'));
  } catch {
    return null;
  }
  if (Array.isArray(value)) return { rows: value as JsonObject[] };
  const { collection, documents } = (value ?? {}) as { collection?: Corpus['collection']; documents?: unknown };
  return Array.isArray(documents) ? { collection, rows: documents as JsonObject[] } : null;
}

function rowOf(set: SetName, file: string, line: TextLine): JsonObject {
  const object = objectOf(file, line);
  if (!('_id' in object)) return object;
  const { _id, title = '', text } = object;
  if (typeof title !== 'string' || typeof text !== 'string' || text === '')
    throw new InputError(file, line.number, 'needs "text", and "title" as a text');
  const heading = title === '' ? text.slice(0, TITLE_CHARACTERS) : title;
  return { external_id: _id, ...(set === 'projects' ? { name: heading, description: text } : { title: heading, content: text }) };
}
