import { FatalStartupError } from '#kernel';

/** A model folder cannot be used as it is; the message names the file. Trying again without a change to the folder will not help. */
export class ModelFolderError extends FatalStartupError {
  constructor(
    readonly path: string,
    problem: string,
    cause?: unknown,
  ) {
    super(`The embedding model cannot be used: ${path} ${problem}`, { cause });
    this.name = 'ModelFolderError';
  }
}
