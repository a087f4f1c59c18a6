import { linesOf, objectOf } from './text-lines.js';

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'utf8');

describe('linesOf', () => {
  it('numbers the lines of the file and leaves out blank ones, carriage returns and the byte order mark', () => {
    expect(linesOf('f', bytesOf('\uFEFFäpfel\r\n\n  \nb'))).toEqual([
      { number: 1, text: 'äpfel' },
      { number: 4, text: 'b' },
    ]);
  });

  it.each([
    ['Latin-1', Buffer.from('one\ntr\u00fcb\n', 'latin1'), 'f:2: is not valid UTF-8'],
    ['UTF-16 with its mark', Buffer.from('\uFEFFa\n', 'utf16le'), 'f:1: is not valid UTF-8'],
    ['UTF-16 without it', Buffer.from('a\n', 'utf16le'), 'f:1: has a NUL byte; is it UTF-16?'],
    ['nothing', Buffer.alloc(0), 'f is empty'],
    ['blank lines only', Buffer.from('\n \r\n'), 'f is empty'],
  ])('refuses %s', (_, bytes, message) => {
    expect(() => linesOf('f', bytes)).toThrow(message);
  });
});

describe('objectOf', () => {
  it.each([
    ['{"a":', 'f:3: is not JSON'],
    ['[1]', 'f:3: is not a JSON object'],
    ['null', 'f:3: is not a JSON object'],
  ])('refuses %s', (text, message) => {
    expect(() => objectOf('f', { number: 3, text })).toThrow(message);
  });
});
