import { WholeFileReader, type WholeFileReaderOptions } from './whole-file-reader.js';

function read(text: string | Buffer, options: Partial<WholeFileReaderOptions> = {}) {
  const reader = new WholeFileReader({ offset: 0, line: 1 }, { isMarkdown: true, maxBytes: 100_000, fileName: null, ...options });
  const bytes = Buffer.from(text);
  const rows = [];
  for (let at = 0; at < bytes.length; at += 3) rows.push(...reader.read(bytes.subarray(at, at + 3)));
  rows.push(...reader.finish());
  expect(rows).toHaveLength(1);
  return rows[0]!;
}

describe('WholeFileReader', () => {
  it('takes the title from the first heading', () => {
    expect(read('# Oak and ash\n\ntext').value).toEqual({ title: 'Oak and ash', content: '# Oak and ash\n\ntext' });
    expect(read('text').value).toEqual({ content: 'text' });
  });

  it('falls back to the name of the file, and identifies the document by it', () => {
    expect(read('no heading', { fileName: 'oak.v2.md' }).value).toEqual({
      title: 'oak.v2',
      content: 'no heading',
      external_id: 'oak.v2.md',
    });
    expect(read('# Heading', { fileName: 'oak.txt', isMarkdown: false }).value).toMatchObject({ title: 'oak', content: '# Heading' });
  });

  it('refuses a file that is too long, or no UTF-8', () => {
    expect(read('x'.repeat(11), { maxBytes: 10 })).toMatchObject({ value: null, problem: { code: 'too-long' } });
    expect(read('x'.repeat(10), { maxBytes: 10 }).problem).toBeNull();
    expect(read(Buffer.from('Tür', 'latin1')).problem).toMatchObject({ code: 'not-utf8' });
  });

  it('reads the document once, though a later run goes on behind it', () => {
    const options = { isMarkdown: true, maxBytes: 100, fileName: null };
    const { next } = read('# Oak');
    const later = new WholeFileReader(next, options);
    expect([...later.read(Buffer.from('')), ...later.finish()]).toEqual([]);
  });
});
