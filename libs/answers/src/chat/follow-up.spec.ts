import { isFollowUp, retrievalTextOf } from './follow-up.js';

describe('isFollowUp', () => {
  it.each([
    'Why?',
    'How long?',
    'And ash?',
    'How often is it oiled?',
    'What does that?',
    'Are they durable?',
    'Und innen?',
    'Warum?',
    'Wie lange hält das?',
    'Was kostet es?',
    'Wie oft öle ich diese?',
    'Was brauche ich dafür?',
  ])('%j is one', (message) => expect(isFollowUp(message)).toBe(true));

  it.each([
    '',
    '42',
    'Oak',
    'Eiche ölen',
    'Which wood for stairs?',
    'Ist das Holz der Treppe hart?',
    'How much does an oak staircase cost?',
    'Welches Holz eignet sich für eine Treppe im Freien, und wie pflege ich es?',
  ])('%j is none', (message) => expect(isFollowUp(message)).toBe(false));
});

describe('retrievalTextOf', () => {
  it('puts the latest message that says what it is about before a follow-up', () => {
    expect(retrievalTextOf('And ash?', ['Roofs', 'Is oak hard?', 'Why?'])).toBe('Is oak hard?\nAnd ash?');
  });

  it('leaves alone a message that stands for itself, and one with nothing before it', () => {
    expect(retrievalTextOf('Which wood for stairs?', ['Is oak hard?'])).toBe('Which wood for stairs?');
    expect(retrievalTextOf('And ash?', [])).toBe('And ash?');
    expect(retrievalTextOf('And ash?', ['Why?'])).toBe('And ash?');
  });
});
