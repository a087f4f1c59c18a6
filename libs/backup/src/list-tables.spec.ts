import { parentsFirst } from './list-tables.js';

describe('parentsFirst', () => {
  const table = (name: string) => ({ name, columns: ['id'] });

  it('puts parents before children, and keeps the order by name otherwise', () => {
    const tables = ['chunks', 'collections', 'documents', 'projects'].map(table);
    const references = [
      { child: 'chunks', parent: 'documents' },
      { child: 'documents', parent: 'collections' },
      { child: 'projects', parent: 'not in the list' },
    ];
    expect(parentsFirst(tables, references).map(({ name }) => name)).toEqual(['collections', 'projects', 'documents', 'chunks']);
  });

  it('says so when there is no such order', () => {
    const circle = [
      { child: 'a', parent: 'b' },
      { child: 'b', parent: 'a' },
    ];
    expect(() => parentsFirst(['a', 'b'].map(table), circle)).toThrow('a, b');
  });
});
