/** The text with each run of white space as one space. */
export function oneLine(text: string): string {
  return text.replace(/\s+/gu, ' ').trim();
}
