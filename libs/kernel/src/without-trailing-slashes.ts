/** The text without the slashes at its end. Looks at each of them once: a pattern that may begin anywhere in a run of slashes would not. */
export function withoutTrailingSlashes(text: string): string {
  return text.replace(/(?<!\/)\/+$/, '');
}
