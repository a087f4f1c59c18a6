import { addFilter, type Filters } from './filter-option.js';

const filtersOf = (...texts: string[]): Filters | undefined =>
  texts.reduce<Filters | undefined>((before, text) => addFilter(text, before), undefined);

describe('addFilter', () => {
  it.each([
    [['region=Bavaria'], { region: 'Bavaria' }],
    [['region=Bavaria', 'region=Tyrol', 'region=Wien'], { region: ['Bavaria', 'Tyrol', 'Wien'] }],
    [['complexity=3'], { complexity: 3 }],
    [['final_price>=1000', 'final_price<2000.5'], { final_price: { gte: 1000, lt: 2000.5 } }],
    [['wood_type=oak=dark', 'complexity<=4'], { wood_type: 'oak=dark', complexity: { lte: 4 } }],
  ])('%j', (texts, filters) => {
    expect(filtersOf(...texts)).toEqual(filters);
  });

  it.each([
    [['region']],
    [['=x']],
    [['region=']],
    [['final_price<cheap']],
    [['complexity=3', 'complexity<5']],
    [['complexity<5', 'complexity=3']],
  ])('refuses %j', (texts) => {
    expect(() => filtersOf(...texts)).toThrow('--filter');
  });
});
