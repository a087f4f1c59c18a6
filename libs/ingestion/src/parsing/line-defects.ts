import type { LineProblem } from './read-row.js';
import type { RawRecord } from './record-splitter.js';

const DETAILS = {
  'too-long': 'is longer than a line may be (IMPORT_MAX_LINE_BYTES)',
  'quote-not-closed': 'has a quote that is never closed',
} as const;

/** What the splitter has found, as a problem of the line; `null` = nothing. */
export function lineProblemOf({ line, defect }: RawRecord): LineProblem | null {
  return defect === null ? null : { line, pointer: '', code: defect, detail: DETAILS[defect] };
}
