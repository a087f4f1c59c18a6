import { checkCitations, type CheckedText } from './citations.js';
import { asPlainText, visibleText, withoutLinks } from './clean-text.js';

/** Makes plain text of what a model wrote: every citation in it names one of the passages 1 to `passageCount`, and wherever it is shown it is no link, image or HTML. */
export function checkAnswer(written: string, passageCount: number): CheckedText {
  const { text, numbers } = checkCitations(withoutLinks(visibleText(written)), passageCount);
  // Behind the citations: one that is removed may have kept a link apart.
  return { text: asPlainText(text), numbers };
}
