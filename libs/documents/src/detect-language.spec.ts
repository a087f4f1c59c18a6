import { detectLanguage } from './detect-language.js';

describe('detectLanguage', () => {
  it.each([
    ['Welche Holzart ist für eine Treppe mit viel Verkehr geeignet?', 'de'],
    ['Which wood is right for the steps of a staircase?', 'en'],
    ['Eiche', null],
    ['', null],
    ['12 % 3 mm', null],
    ['Le bois de chêne est dur et lourd.', null],
    [`${'Wood. '.repeat(250)} der die das und ist nicht`, null],
  ])('says of %j: %s', (text, language) => expect(detectLanguage(text)).toBe(language));
});
