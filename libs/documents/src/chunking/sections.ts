import { trimSpan, type TextSpan } from './text-span.js';

/** What stands under one heading, or before the first one. */
export interface Section {
  /** The headings above, outermost first, without their marks. */
  readonly headings: readonly string[];
  /** Names the section within the document: its headings, and which of those with the same ones it is. An edit elsewhere leaves it as it is. */
  readonly key: string;
  readonly paragraphs: readonly TextSpan[];
}

/** Where a heading of Markdown begins: one to six `#` and a space. What follows is read by hand: an expression that looks for its end would go back for every space. */
const HEADING_START = /^ {0,3}(#{1,6})[ \t]/;
/** As a title; a longer line is a paragraph, for headings are repeated in every chunk below them. */
export const HEADING_MAX_LENGTH = 500;
/** A fence of three or more: what lies between two of them is code, whatever it looks like. */
const FENCE = /^ {0,3}(`{3,}|~{3,})/;

interface Line extends TextSpan {
  readonly text: string;
}

/** A section while its lines are being read. */
interface OpenSection {
  readonly headings: string[];
  /** The line of the heading itself; `null` before the first one. */
  readonly headingLine: TextSpan | null;
  readonly paragraphs: TextSpan[];
}

/**
 * Takes a text apart at its headings, and each section at its blank lines. Every word of the text is in a heading or in a paragraph.
 *
 * A heading under which nothing stands, not even another heading, is a paragraph of its own, so that its words are found.
 */
export function findSections(content: string): Section[] {
  const sections: OpenSection[] = [{ headings: [], headingLine: null, paragraphs: [] }];
  let paragraph: TextSpan | null = null;
  let fence: string | null = null;
  const close = () => {
    const span = paragraph === null ? null : trimSpan(content, paragraph);
    if (span !== null) sections.at(-1)!.paragraphs.push(span);
    paragraph = null;
  };
  for (const line of linesOf(content)) {
    const mark = FENCE.exec(line.text)?.[1];
    if (fence === null && mark !== undefined) fence = mark;
    else if (fence !== null && mark !== undefined && mark[0] === fence[0] && mark.length >= fence.length) fence = null;
    const heading = fence === null ? headingOf(line.text) : null;
    if (heading !== null) {
      close();
      sections.push({ headings: headingsUnder(sections.at(-1)!.headings, heading), headingLine: line, paragraphs: [] });
    } else if (fence === null && line.text.trim() === '') close();
    else paragraph = { start: (paragraph as TextSpan | null)?.start ?? line.start, end: line.end };
  }
  close();
  return withKeys(sections.filter((section, index) => keepsWords(content, section, sections[index + 1])));
}

/** `#` marks, a space and the words of a heading; `null` = the line is none. */
function headingOf(line: string): string | null {
  const start = line.length > HEADING_MAX_LENGTH ? null : HEADING_START.exec(line);
  const words = start === null ? '' : withoutClosingMarks(line.slice(start[0].length).trim());
  return words === '' ? null : `${start![1]} ${words}`;
}

/** `Oak ##` is Oak, `C#` stays what it is. */
function withoutClosingMarks(words: string): string {
  let end = words.length;
  while (words[end - 1] === '#') end--;
  return end === 0 || /\s/.test(words[end - 1]!) ? words.slice(0, end).trimEnd() : words;
}

/** Ranks are kept as leading `#` until the end: a heading replaces those of its own rank and below. */
function headingsUnder(above: readonly string[], heading: string): string[] {
  return [...above.filter((one) => rankOf(one) < rankOf(heading)), heading];
}

function rankOf(heading: string): number {
  return heading.indexOf(' ');
}

function keepsWords(content: string, section: OpenSection, next: OpenSection | undefined): boolean {
  if (section.paragraphs.length > 0) return true;
  if (section.headingLine === null) return false;
  const ownRank = rankOf(section.headings.at(-1)!);
  if (next !== undefined && rankOf(next.headings.at(-1)!) > ownRank) return false;
  const span = trimSpan(content, section.headingLine);
  if (span !== null) section.paragraphs.push(span);
  return span !== null;
}

function withKeys(sections: readonly OpenSection[]): Section[] {
  const counts = new Map<string, number>();
  return sections.map(({ headings, paragraphs }) => {
    const path = headings.join('\n');
    const count = counts.get(path) ?? 0;
    counts.set(path, count + 1);
    return { headings: headings.map((heading) => heading.slice(rankOf(heading) + 1)), key: `${path}\n${count}`, paragraphs };
  });
}

function* linesOf(text: string): Generator<Line> {
  let start = 0;
  while (start < text.length) {
    const found = text.indexOf('\n', start);
    const end = found === -1 ? text.length : found;
    yield { start, end, text: text.slice(start, end).replace(/\r$/, '') };
    start = end + 1;
  }
}
