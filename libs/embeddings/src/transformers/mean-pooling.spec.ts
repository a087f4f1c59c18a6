import { meanPoolAndNormalise } from './mean-pooling.js';

const pool = (hidden: number[], tokens: number) => meanPoolAndNormalise(Float32Array.from(hidden), tokens, 2, new Float64Array(2).fill(99));

describe('meanPoolAndNormalise', () => {
  it('is the mean of the rows, scaled to norm 1', () => {
    expect([...pool([3, 0, 0, 4], 2)].map((component) => component.toFixed(6))).toEqual(['0.600000', '0.800000']);
  });

  it('reads only the rows of the text', () => {
    expect([...pool([0, 2, 5, 5], 1)]).toEqual([0, 1]);
  });

  it('hides no defect: NaN stays NaN, zero stays zero', () => {
    expect([...pool([NaN, 1], 1)]).toEqual([NaN, NaN]);
    expect([...pool([0, 0], 1)]).toEqual([0, 0]);
  });
});
