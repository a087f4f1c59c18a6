import { AnswerOrigin } from './answer-origin.js';

const healthy = { value: null, isDegraded: false, source: 'qdrant', indexAgeSeconds: null } as const;
const degraded = (indexAgeSeconds: number | null) => ({ value: null, isDegraded: true, source: 'local', indexAgeSeconds }) as const;

describe('AnswerOrigin', () => {
  it.each([
    [[healthy, healthy], healthy],
    [[healthy, degraded(3)], degraded(3)],
    [[degraded(3), healthy], degraded(3)],
    [[degraded(3), degraded(5), degraded(4)], degraded(5)],
    [[degraded(null), degraded(5)], degraded(5)],
  ])('%#', (answers, { isDegraded, source, indexAgeSeconds }) => {
    const origin = new AnswerOrigin();
    for (const answer of answers) origin.observe(answer);
    expect(origin.provenance).toEqual({ isDegraded, source, indexAgeSeconds });
  });

  it('is nobody before the first answer', () => {
    expect(() => new AnswerOrigin().provenance).toThrow();
  });
});
