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
