/** A file given to the evaluation cannot be used; the message names it, the line (from 1) where there is one, and what is wrong there. */
export class InputError extends Error {
  constructor(file: string, line: number | null, problem: string) {
    super(line === null ? `${file} ${problem}` : `${file}:${line}: ${problem}`);
    this.name = 'InputError';
  }
}
