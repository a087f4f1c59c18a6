import { parsePostmasterFile } from './postmaster.js';

const FILE = '4711\n/data/postgres\n1790000000\n54321\n\n127.0.0.1\n   123456         0\nready   \n';

describe('parsePostmasterFile', () => {
  it('reads pid, port and status', () => {
    expect(parsePostmasterFile(FILE)).toEqual({ pid: 4711, port: 54321, status: 'ready' });
  });

  it('reads a file that is still being written', () => {
    expect(parsePostmasterFile('4711\n/data/postgres\n')).toEqual({ pid: 4711, port: 0, status: '' });
  });

  it('reads the negated pid of a standalone backend', () => {
    expect(parsePostmasterFile(FILE.replace('4711', '-4711'))?.pid).toBe(4711);
  });

  it.each(['', 'nonsense\n', '0\n', '\n'])('takes %j for no file', (text) => {
    expect(parsePostmasterFile(text)).toBeNull();
  });
});
