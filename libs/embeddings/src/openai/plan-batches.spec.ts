import { planBatches } from './plan-batches.js';

const texts = (...tokens: number[]) => tokens.map((count, i) => ({ tokens: count, i }));
const shape = (batches: readonly (readonly { readonly tokens: number }[])[]) => batches.map((batch) => batch.map(({ tokens }) => tokens));

describe('planBatches', () => {
  it.each([
    [
      'by their number',
      texts(1, 1, 1, 1, 1),
      [
        [1, 1, 1],
        [1, 1],
      ],
    ],
    ['by their tokens', texts(4, 5, 2, 9, 1), [[4, 5], [2], [9, 1]]],
    ['so that one that is too long stands alone', texts(1, 50, 1), [[1], [50], [1]]],
    ['no texts into no requests', texts(), []],
  ])('cuts texts %s', (_, given, expected) => {
    const batches = planBatches(given, { maxTexts: 3, maxTokens: 10 });
    expect(shape(batches)).toEqual(expected);
    expect(batches.flat()).toEqual(given);
  });
});
