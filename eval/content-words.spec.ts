import { contentWords, sharedContentWords } from './content-words.js';

describe('contentWords', () => {
  it('leaves out stop words of both languages and words under four letters, and folds case and accents', () => {
    expect(contentWords('Which of the Bäume, und über welche Straße?')).toEqual(new Set(['baume', 'strasse']));
  });
});

describe('sharedContentWords', () => {
  it.each([
    ['the same word', 'oak stairs', 'a Stairs case', [['stairs', 'stairs']]],
    ['forms of one word', 'polished', 'polishing', [['polished', 'polishing']]],
    ['a short word and its plural', 'Baum', 'Bäume', [['baum', 'baume']]],
    ['a part of a compound', 'Betontreppe', 'eine Treppe', [['betontreppe', 'treppe']]],
    ['nothing', 'hidden drawer', 'secret compartment', []],
    ['a stop word', 'without', 'without', []],
  ])('%s', (_, left, right, shared) => {
    expect(sharedContentWords(left, right)).toEqual(shared);
  });
});
