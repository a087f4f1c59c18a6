import { citationsAsWords } from './citations.js';

/** Control and format characters, those of line breaks and tabs excepted: people do not see them, models read them. */
const INVISIBLE = /[^\P{C}\n\t]/gu;
/* No part runs across the beginning of the next link: however many are begun, each character is looked at a few times only. */
const LINK = /!?\[([^\][\n]{0,200})\]\([^)\][\n]{0,2000}\)/g;
/** `\[` and `&#91;` are brackets to who renders Markdown or HTML. */
const ESCAPE = /\\(?=[!-/:-@[-`{-~])/g;
const ENTITY = /&(?=#?\w{1,40};)/g;
const BRACKET = /(\[\d+\])|[[【［]|[\]】］]/g;
/** Many pages turn these into links where they stand. */
const ADDRESS = /:(?=\/\/)|www(?=\.)/gi;

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
  return citationsAsWords(
    visibleText(text)
      .replace(/[<＜﹤]/g, '‹')
      .replace(/[>＞﹥]/g, '›'),
  );
}

/** Leaves of links and images in Markdown, as models write them, the words alone; Markdown's and HTML's escapes lose their meaning. */
export function withoutLinks(text: string): string {
  const wordsOnly = (part: string) => part.replace(LINK, (_, words: string) => (/^\^?\d[\d,;\s–-]*$/.test(words) ? `[${words}]` : words));
  // Twice, for an image that is a link.
  return wordsOnly(wordsOnly(text.replace(ESCAPE, '').replace(ENTITY, '& ')));
}

/**
 * Makes sure that a text of which the citations are checked is no link, image or HTML to whoever renders it.
 *
 * The only brackets that stay are `[n]`, never before `(` or `:`; `<` becomes `‹`, and addresses get a space.
 */
export function asPlainText(text: string): string {
  return text
    .replace(BRACKET, (found, citation?: string) => citation ?? ('[【［'.includes(found) ? '(' : ')'))
    .replace(/\](?=[(:])/g, '] ')
    .replaceAll('<', '‹')
    .replace(ADDRESS, '$& ');
}
