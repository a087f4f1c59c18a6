import { jsonPointerOf } from '#rules';
import type { CellType } from './csv-cells.js';
import type { CsvLayout, LineProblem } from './read-row.js';
import { UnreadableFileError } from './read-row.js';
import { rowNames } from './row-names.js';

/** What a target says of the columns of a CSV file. */
export interface CsvFields {
  /** Known fields with their types, by name. */
  readonly types: ReadonlyMap<string, CellType>;
  /** Other names that files use, with the field that is meant. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Columns without which no row can be taken. */
  readonly required: readonly string[];
  /** Read-only columns of our own exports: where all of them are there, they are left out without a word. */
  readonly readOnly: readonly string[];
}

/** Far more than any kind of row has fields; a line of 1 MiB could name half a million. */
const COLUMNS_MAXIMUM = 1_000;
const CANDIDATES = [',', ';', '\t'] as const;

/** The delimiter that the header line has most of, outside of quotes; a comma when it has none. */
export function detectDelimiter(header: string): string {
  const bare = header.replace(/"[^"]*"/g, '');
  const counts = CANDIDATES.map((candidate) => bare.split(candidate).length);
  return CANDIDATES[counts.indexOf(Math.max(...counts))]!;
}

/**
 * Finds the field of each column. A column that is not known, or is there twice, is reported and left out; the others are read all the same.
 *
 * @throws UnreadableFileError when a column is missing without which no row could be taken, or there are more than {@link COLUMNS_MAXIMUM}
 */
export function readHeader(
  names: readonly string[],
  fields: CsvFields,
  line: number,
): { readonly columns: CsvLayout['columns']; readonly problems: LineProblem[] } {
  if (names.length > COLUMNS_MAXIMUM) {
    const detail = `the first line names ${names.length} columns; there may be ${COLUMNS_MAXIMUM}`;
    throw new UnreadableFileError({ line, pointer: '', code: 'too-many-columns', detail });
  }
  const trimmed = names.map((name) => name.trim());
  const { isLeftOut, fieldOf } = rowNames(new Set(trimmed), fields);
  const seen = new Set<string>();
  const problems: LineProblem[] = [];
  const columns = trimmed.map((name) => {
    if (isLeftOut(name)) return null;
    const field = fieldOf(name);
    const isKnown = fields.types.has(fields.aliases.get(name) ?? name);
    if (fields.types.has(field) && !seen.has(field)) {
      seen.add(field);
      return field;
    }
    problems.push({
      line,
      pointer: jsonPointerOf([name]),
      code: isKnown ? 'duplicate-column' : 'unknown-column',
      detail: isKnown ? 'is a column that is there twice; the first one is read' : 'is a column that is not known here; it is left out',
    });
    return null;
  });
  const missing = fields.required.filter((name) => !seen.has(name));
  if (missing.length > 0) {
    const detail = `the first line must name the columns, and ${missing.join(' and ')} among them`;
    throw new UnreadableFileError({ line, pointer: jsonPointerOf([missing[0]!]), code: 'missing-column', detail });
  }
  return { columns, problems };
}
