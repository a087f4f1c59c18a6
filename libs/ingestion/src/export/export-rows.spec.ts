import { exportRows, type ExportFormat, type ReadPage } from './export-rows.js';

interface Row {
  readonly id: number;
  readonly text: string;
}

const never = new AbortController().signal;
const rowsOf = (count: number, text: string): Row[] => Array.from({ length: count }, (_, id) => ({ id, text }));

/** Pages of two rows. */
function pagesOf(rows: readonly Row[]): ReadPage<Row> {
  return async (after) => {
    const start = after === null ? 0 : rows.indexOf(after) + 1;
    return { items: rows.slice(start, start + 2), hasMore: start + 2 < rows.length };
  };
}
const pieces = async (format: ExportFormat, rows: readonly Row[]) => {
  const texts: string[] = [];
  for await (const text of exportRows<Row>(format, ['id', 'text'], pagesOf(rows), never)) texts.push(text);
  return texts;
};

describe('exportRows', () => {
  it('has all rows, of all pages, in their order', async () => {
    expect((await pieces('ndjson', rowsOf(5, 'x'))).join('')).toBe(
      rowsOf(5, 'x')
        .map((row) => `${JSON.stringify(row)}\n`)
        .join(''),
    );
    expect((await pieces('csv', rowsOf(3, '=1'))).join('')).toBe('id,text\r\n0,"\'=1"\r\n1,"\'=1"\r\n2,"\'=1"\r\n');
    expect(await pieces('ndjson', [])).toEqual([]);
    expect(await pieces('csv', [])).toEqual(['id,text\r\n']);
  });

  it('hands small rows on together, and large ones each as it is made', async () => {
    expect(await pieces('ndjson', rowsOf(100, 'x'))).toHaveLength(1);
    expect(await pieces('ndjson', rowsOf(6, 'x'.repeat(300_000)))).toHaveLength(6);
  });

  it('ends with an error when the process stops', async () => {
    const stopping = new AbortController();
    const rows = exportRows<Row>('ndjson', ['id'], pagesOf(rowsOf(6, 'x'.repeat(300_000))), stopping.signal);
    await rows.next();
    await rows.next();
    stopping.abort(new Error('stopping'));
    await expect(rows.next()).rejects.toThrow('stopping');
  });
});
