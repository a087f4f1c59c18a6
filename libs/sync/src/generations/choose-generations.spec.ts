import { pairOf, previousOf } from './choose-generations.js';
import type { GenerationRecord } from './generation-record.js';
import type { GenerationState } from './index-generation.js';

const generation = (id: number, source: string, state: GenerationState, standbyAt?: number): GenerationRecord =>
  ({ id, source, state, standbySince: standbyAt === undefined ? null : new Date(standbyAt) }) as GenerationRecord;

const ALL = [
  generation(1, 'projects', 'standby', 300),
  generation(2, 'projects', 'retired'),
  generation(3, 'projects', 'standby', 200),
  generation(4, 'projects', 'serving'),
  generation(5, 'projects', 'standby', 400),
  generation(6, 'projects', 'building'),
  generation(7, 'documents', 'serving'),
];

describe('pairOf', () => {
  it('finds who steps up and who steps down, in the same source', () => {
    expect(pairOf(ALL, 6)).toEqual({ from: ALL[3], to: ALL[5] });
    expect(pairOf(ALL, 3)).toEqual({ from: ALL[3], to: ALL[2] });
  });

  it.each([
    [9, 'generations.not-found'],
    [2, 'generations.retired'],
    [4, 'generations.conflict'],
  ])('refuses generation %d: %s', (id, code) => {
    expect(() => pairOf(ALL, id)).toThrow(expect.objectContaining({ code }));
  });

  it('refuses while nothing serves', () => {
    expect(() => pairOf([ALL[0]!], 1)).toThrow(expect.objectContaining({ code: 'search.not-ready' }));
  });
});

describe('previousOf', () => {
  it('is the one that served last of those older than the serving one', () => {
    expect(previousOf(ALL)).toBe(1);
    expect(previousOf(ALL, 'projects')).toBe(1);
  });

  it('is nobody when there is no older one, or none of that source', () => {
    const refused = expect.objectContaining({ code: 'generations.conflict' });
    expect(() => previousOf(ALL, 'documents')).toThrow(refused);
    expect(() => previousOf(ALL.slice(3))).toThrow(refused);
  });

  it('has to be said when several sources have one', () => {
    const both = [...ALL, generation(8, 'documents', 'serving')].map((one) =>
      one.id === 7 ? generation(7, 'documents', 'standby', 1) : one,
    );
    expect(() => previousOf(both)).toThrow(expect.objectContaining({ detail: expect.stringContaining('say which') }));
    expect(previousOf(both, 'documents')).toBe(7);
  });
});
