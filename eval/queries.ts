import { InputError } from './input-error.js';
import { isJsonLines, linesOf, objectOf, type TextLine } from './text-lines.js';

/** One query of a labelled set; `language` and `style` are absent where the file does not say. */
export interface Query {
  readonly id: string;
  readonly text: string;
  readonly language?: string;
  readonly style?: string;
}

/**
 * Reads queries, in the order of the file. Three forms are understood: JSON Lines `{"id", "text", "language"?, "style"?}`, the same with `_id` as BEIR
 * writes it, and two columns `id<TAB>text`. Other keys are ignored.
 * @throws InputError naming the line: a missing or empty id or text, an id given twice, a wrong encoding, an empty file
 */
export function parseQueries(file: string, bytes: Uint8Array): Query[] {
  const lines = linesOf(file, bytes);
  const parse = isJsonLines(lines) ? fromObject : fromColumns;
  const seen = new Set<string>();
  return lines.map((line) => {
    const query = parse(file, line);
    if (seen.has(query.id)) throw new InputError(file, line.number, `gives the query ${query.id} a second time`);
    seen.add(query.id);
    return query;
  });
}

function fromObject(file: string, line: TextLine): Query {
  const object = objectOf(file, line);
  const textOf = (key: string): string => {
    const value = object[key];
    if (typeof value !== 'string' || value.trim() === '')
      throw new InputError(file, line.number, `needs "${key}", a text that is not empty`);
    return value;
  };
  const id = textOf('_id' in object ? '_id' : 'id');
  return {
    id,
    text: textOf('text'),
    ...('language' in object && { language: textOf('language') }),
    ...('style' in object && { style: textOf('style') }),
  };
}

function fromColumns(file: string, line: TextLine): Query {
  const [id = '', text = '', ...rest] = line.text.split('\t').map((cell) => cell.trim());
  if (id === '' || text === '' || rest.length > 0)
    throw new InputError(file, line.number, 'needs two columns, id and text, with a tab between them');
  return { id, text };
}
