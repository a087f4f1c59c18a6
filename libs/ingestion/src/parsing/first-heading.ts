const MARKS = /^ {0,3}#{1,6}(?=[ \t]|$)/;
const UNDERLINE = /^ {0,3}(?:=+|-+)$/;
/** What cannot be the text of a heading that is underlined: the start of another block, or nothing. */
const OTHER_BLOCK = /^ {0,3}(?:[>*+#-]|\d+[.)])|^(?: {4}|\t)|^$/;
/** A line that is longer is no heading; it also bounds the work on each line. */
const LINE_LIMIT = 1_000;

const FRONT_MATTER_START = /^---$/;
const FRONT_MATTER_END = /^(?:---|\.\.\.)$/;
/** Three backticks or tildes, or more; what stands behind backticks has none, or the line is code in a sentence. */
const FENCE = /^ {0,3}(?:(`{3,})[^`]*|(~{3,})(?:[^~].*)?)$/;

/** The text of the first heading of a Markdown text, marked by # or underlined; `null` = there is none. What stands in front matter or code is no heading. */
export function firstHeading(markdown: string): string | null {
  let before = '';
  let fence: string | null = null;
  for (const line of linesOf(markdown, endOfFrontMatter(markdown))) {
    if (fence !== null) {
      if (closes(line, fence)) fence = null;
      continue;
    }
    const [, backticks, tildes] = FENCE.exec(line) ?? [];
    fence = backticks ?? tildes ?? null;
    if (fence !== null) {
      before = '';
      continue;
    }
    const marks = MARKS.exec(line)?.[0];
    const text = marks === undefined ? '' : withoutClosingMarks(line.slice(marks.length).trim());
    if (text !== '') return text;
    if (UNDERLINE.test(line) && !OTHER_BLOCK.test(before)) return before.trim();
    before = line;
  }
  return null;
}

/** From `start` on; a line that is too long to be a heading is empty. */
function* linesOf(text: string, start: number): Generator<string> {
  while (start < text.length) {
    const found = text.indexOf('\n', start);
    const end = found < 0 ? text.length : found;
    yield end - start > LINE_LIMIT ? '' : text.slice(start, end).trimEnd();
    start = end + 1;
  }
}

/** Where the text begins behind a block between `---` at its very beginning, as tools of all kinds put there; a block without an end is none. */
function endOfFrontMatter(text: string): number {
  let position = 0;
  let isFirst = true;
  for (const line of linesOf(text, 0)) {
    if (isFirst && !FRONT_MATTER_START.test(line)) return 0;
    const found = text.indexOf('\n', position);
    position = found < 0 ? text.length : found + 1;
    if (!isFirst && FRONT_MATTER_END.test(line)) return position;
    isFirst = false;
  }
  return 0;
}

/** A fence is closed by as many of its characters or more, and nothing else. */
function closes(line: string, fence: string): boolean {
  const text = line.trimStart();
  return line.length - text.length <= 3 && text.length >= fence.length && text === fence[0]!.repeat(text.length);
}

/** `## Text ##` has closing marks; the one of `C#` belongs to the text. */
function withoutClosingMarks(text: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === '#') end--;
  if (end === 0) return '';
  return end < text.length && /[ \t]/.test(text[end - 1]!) ? text.slice(0, end).trimEnd() : text;
}
