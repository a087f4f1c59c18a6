/**
 * The service cannot start, and trying again without a change by a person will not help.
 *
 * Its message is printed as it is and the process exits; it must say what to do, and hold nothing secret.
 */
export class FatalStartupError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'FatalStartupError';
  }
}

/** Why a program could not start: the sentence of an error that people can mend, the stack of a defect. */
export function startupErrorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error instanceof FatalStartupError ? error.message : (error.stack ?? error.message);
}
