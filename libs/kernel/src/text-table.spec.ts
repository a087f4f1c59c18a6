import { renderTable } from './text-table.js';

describe('renderTable', () => {
  it('aligns texts left and numbers right', () => {
    expect(
      renderTable(
        ['name', 'price'],
        [
          ['oak stairs', 900],
          ['door', 12000],
        ],
      ),
    ).toBe(['name        price', '----------  -----', 'oak stairs    900', 'door        12000'].join('\n'));
  });

  it('prints the header alone when there are no rows', () => {
    expect(renderTable(['a', 'bc'], [])).toBe('a  bc\n-  --');
  });
});
