/** Control and format characters, those of line breaks and tabs excepted: people do not see them, models read them. */
const INVISIBLE = /[^\P{C}\n\t]/gu;
const CITATION_LIKE = /\[(\^?\d[\d,;\s–-]*)\]/g;
/* No part runs across the beginning of the next link: however many are begun, each character is looked at a few times only. */
const LINK = /!?\[([^\][\n]{0,200})\]\([^)\][\n]{0,2000}\)/g;

/** Removes what cannot be seen: zero-width and control characters, marks of direction, tags, private use. */
export function visibleText(text: string): string {
  return text.replace(/\r\n?/g, '\n').replace(INVISIBLE, '');
}

/**
 * Turns the text of somebody else into data: nothing in it can end the block that it stands in, begin another one, or look like a citation.
 *
 * It stays readable: `<` and `>` become `‹` and `›`, and `[3]` becomes `(3)`.
 */
export function asData(text: string): string {
  return visibleText(text)
    .replace(/[<＜﹤]/g, '‹')
    .replace(/[>＞﹥]/g, '›')
    .replace(CITATION_LIKE, '($1)');
}

/** What a model wrote, without what a page might fetch or a reader click: of images and links in Markdown only the words are left. */
export function withoutLinks(text: string): string {
  const wordsOnly = (part: string) => part.replace(LINK, (_, words: string) => (/^\^?\d[\d,;\s–-]*$/.test(words) ? `[${words}]` : words));
  // Twice, for an image that is a link.
  return wordsOnly(wordsOnly(text));
}
