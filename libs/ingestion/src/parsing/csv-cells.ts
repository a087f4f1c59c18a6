import { DECIMAL_PATTERN, parseStrictJson } from '#rules';

/**
 * Spreadsheets run a cell that begins like this as a formula (OWASP, CSV injection), the full-width forms included. Exports put an apostrophe before it,
 * and imports take it away again: a text that already has apostrophes there gets one more, so that every text comes back as it was.
 */
const FORMULA_START = '[=+\\-@\\t\\r\\n＝＋－＠]';
const MUST_BE_ESCAPED = new RegExp(`^'*${FORMULA_START}`);
const IS_ESCAPED = new RegExp(`^'+${FORMULA_START}`);

/** The text of a cell that no spreadsheet takes for a formula; {@link unescapeCell} undoes it. */
export function escapeCell(text: string): string {
  return MUST_BE_ESCAPED.test(text) ? `'${text}` : text;
}

/** The text that {@link escapeCell} was given; also takes away the apostrophe that people put before such a text. */
export function unescapeCell(cell: string): string {
  return IS_ESCAPED.test(cell) ? cell.slice(1) : cell;
}

/** A cell as it stands in the file (RFC 4180): texts always in quotes, numbers never, nothing for null. */
export function csvCell(value: string | number | null): string {
  if (value === null) return '';
  return typeof value === 'number' ? String(value) : `"${escapeCell(value).replaceAll('"', '""')}"`;
}

/** How the cells of a column are read: as text, or as a number or as JSON where they look like it. Others are for the rules of the field to refuse. */
export type CellType = 'text' | 'number' | 'json';

/** The value of a cell; an empty cell is no value. */
export function cellValue(cell: string, type: CellType): unknown {
  if (cell === '') return undefined;
  if (type === 'text') return unescapeCell(cell);
  const text = cell.trim();
  if (type === 'number') return DECIMAL_PATTERN.test(text) ? Number(text) : text;
  const { value, defect } = parseStrictJson(Buffer.from(text));
  return defect === null ? value : text;
}
