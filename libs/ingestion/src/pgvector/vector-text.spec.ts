import { parseVectorText } from './vector-text.js';

describe('parseVectorText', () => {
  it('reads the text form of pgvector', () => {
    expect(parseVectorText(' [0.5, -2,3e-5] ', 3)).toEqual(Float32Array.of(0.5, -2, 3e-5));
  });

  it.each([
    ['{1,2,3}', 'the vector is not written as [0.1,0.2,…]'],
    ['{1:0.5}/3', 'the vector is not written as [0.1,0.2,…]'],
    ['', 'the vector is not written as [0.1,0.2,…]'],
    ['[]', 'the vector has 0 dimensions, not 3'],
    ['[1,2]', 'the vector has 2 dimensions, not 3'],
    ['[1,NaN,3]', 'component 2 of the vector is no finite number'],
    ['[1,2,1e39]', 'component 3 of the vector is no finite number'],
    ['[1,,3]', 'component 2 of the vector is no finite number'],
    ['[0,0,0]', 'the vector has no direction: every component is 0'],
  ])('refuses %s', (text, problem) => {
    expect(parseVectorText(text, 3)).toBe(problem);
  });
});
