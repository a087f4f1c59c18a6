/** A part of a text: `text.slice(start, end)`, in UTF-16 code units. */
export interface TextSpan {
  readonly start: number;
  readonly end: number;
}

/** The span without the white space at its ends; `null` when there is nothing else. */
export function trimSpan(text: string, { start, end }: TextSpan): TextSpan | null {
  let from = start;
  let to = end;
  while (from < to && isSpace(text, from)) from++;
  while (to > from && isSpace(text, to - 1)) to--;
  return from === to ? null : { start: from, end: to };
}

/** White space of JavaScript's `\s`; all of it is one code unit long. */
function isSpace(text: string, index: number): boolean {
  return /\s/.test(text[index]!);
}
