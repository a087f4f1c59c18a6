import { sqlConditionsOf, type ProjectCondition } from './project-filter.js';

describe('sqlConditionsOf', () => {
  it('makes one condition per demand and passes every value as a parameter', () => {
    const parameters: unknown[] = ['earlier'];
    const conditions = sqlConditionsOf(
      [
        { kind: 'any', field: 'region', values: ['Bavaria', "O'Brien"] },
        { kind: 'range', field: 'final_price', gt: 1, lte: 2.5 },
      ],
      parameters,
    );
    expect(conditions).toEqual(['region = ANY($2::text[])', 'final_price > $3::numeric', 'final_price <= $4::numeric']);
    expect(parameters).toEqual(['earlier', ['Bavaria', "O'Brien"], 1, 2.5]);
  });

  it('knows all four bounds', () => {
    expect(sqlConditionsOf([{ kind: 'range', field: 'complexity', gt: 1, gte: 2, lt: 5, lte: 4 }], [])).toEqual([
      'complexity > $1::numeric',
      'complexity >= $2::numeric',
      'complexity < $3::numeric',
      'complexity <= $4::numeric',
    ]);
  });

  it('refuses a field that is not in the table', () => {
    const hostile = { kind: 'any', field: 'name; DROP TABLE projects --', values: ['x'] } as unknown as ProjectCondition;
    expect(() => sqlConditionsOf([hostile], [])).toThrow('unknown field');
    expect(() => sqlConditionsOf([{ ...hostile, field: 'toString' } as unknown as ProjectCondition], [])).toThrow('unknown field');
  });
});
