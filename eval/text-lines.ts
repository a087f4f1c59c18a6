import { readFileSync } from 'node:fs';
import { InputError } from './input-error.js';

/** A line that is not blank, without its line break, and its number from 1. */
export interface TextLine {
  readonly number: number;
  readonly text: string;
}

/** The content of a file. @throws InputError when it cannot be read */
export function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new InputError(file, null, `cannot be read (${(error as NodeJS.ErrnoException).code ?? 'unknown'})`);
  }
}

/**
 * The lines of a UTF-8 text that are not blank, in order; a byte order mark and carriage returns are dropped.
 * @throws InputError on a line that is not UTF-8 or has a NUL byte (UTF-16 has both), and when there is no line at all
 */
export function linesOf(file: string, bytes: Uint8Array): TextLine[] {
  // Line by line, because a decoder of the whole file could not say where it failed; in UTF-8 the byte of a line break is never part of anything else.
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const lines: TextLine[] = [];
  for (let start = 0, number = 1; start < bytes.length; number++) {
    const found = bytes.indexOf(0x0a, start);
    const end = found === -1 ? bytes.length : found;
    const text = decoded(decoder, file, number, bytes.subarray(start, end)).trim();
    if (text !== '') lines.push({ number, text });
    start = end + 1;
  }
  if (lines.length === 0) throw new InputError(file, null, 'is empty');
  return lines;
}

function decoded(decoder: InstanceType<typeof TextDecoder>, file: string, number: number, bytes: Uint8Array): string {
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    throw new InputError(file, number, 'is not valid UTF-8');
  }
  if (text.includes('\0')) throw new InputError(file, number, 'has a NUL byte; is it UTF-16?');
  return text;
}

/** Whether a file is JSON Lines rather than columns: its first line begins an object. */
export function isJsonLines(lines: readonly TextLine[]): boolean {
  return lines[0]!.text.startsWith('{');
}

/** The object on a line of JSON Lines. @throws InputError when it is none */
export function objectOf(file: string, line: TextLine): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(line.text);
  } catch {
    throw new InputError(file, line.number, 'is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new InputError(file, line.number, 'is not a JSON object');
  return value as Readonly<Record<string, unknown>>;
}
