const MARKS = /^ {0,3}#{1,6}(?=[ \t]|$)/;
const UNDERLINE = /^ {0,3}(?:=+|-+)$/;
/** What cannot be the text of a heading that is underlined: the start of another block, or nothing. */
const OTHER_BLOCK = /^ {0,3}(?:[>*+#-]|\d+[.)])|^(?: {4}|\t)|^$/;
/** A line that is longer is no heading; it also bounds the work on each line. */
const LINE_LIMIT = 1_000;

/** The text of the first heading of a Markdown text, marked by # or underlined; `null` = there is none. */
export function firstHeading(markdown: string): string | null {
  let before = '';
  for (let start = 0; start < markdown.length;) {
    const found = markdown.indexOf('\n', start);
    const end = found < 0 ? markdown.length : found;
    const line = end - start > LINE_LIMIT ? '' : markdown.slice(start, end).trimEnd();
    const marks = MARKS.exec(line)?.[0];
    const text = marks === undefined ? '' : withoutClosingMarks(line.slice(marks.length).trim());
    if (text !== '') return text;
    if (UNDERLINE.test(line) && !OTHER_BLOCK.test(before)) return before.trim();
    before = line;
    start = end + 1;
  }
  return null;
}

/** `## Text ##` has closing marks; the one of `C#` belongs to the text. */
function withoutClosingMarks(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === '#') end--;
  if (end === 0) return '';
  return end < text.length && /[ \t]/.test(text[end - 1]!) ? text.slice(0, end).trimEnd() : text;
}
