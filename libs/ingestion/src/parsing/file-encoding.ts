import { UnreadableFileError } from './read-row.js';

const UTF8_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const UTF16_MARKS = [Buffer.from([0xff, 0xfe]), Buffer.from([0xfe, 0xff])];
const SAMPLE_BYTES = 512;
/** English or German text as UTF-16 has a zero in nearly every second byte; text as UTF-8 has none at all. */
const ZEROS_OF_UTF16 = 0.25;

/**
 * Looks at the first bytes of a file; returns the length of the byte order mark to leave out.
 *
 * @throws UnreadableFileError for UTF-16
 */
export function byteOrderMarkLength(start: Buffer): number {
  const sample = start.subarray(0, SAMPLE_BYTES);
  const zeros = sample.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0);
  if (UTF16_MARKS.some((mark) => start.subarray(0, mark.length).equals(mark)) || zeros > sample.length * ZEROS_OF_UTF16) {
    throw new UnreadableFileError({
      line: 1,
      pointer: '',
      code: 'not-utf8',
      detail: 'the file is UTF-16, or no text at all; save it as UTF-8',
    });
  }
  return start.subarray(0, UTF8_MARK.length).equals(UTF8_MARK) ? UTF8_MARK.length : 0;
}

export const NOT_UTF8_DETAIL = 'is not valid UTF-8; a file of Latin-1 or Windows-1252 must be saved as UTF-8';
