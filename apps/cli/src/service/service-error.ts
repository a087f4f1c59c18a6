/** The service refused, failed, or does not answer: a sentence for the person at the terminal. */
export class ServiceError extends Error {
  constructor(
    message: string,
    /** Code of the problem, for example `generations.conflict`; `null` when there was no reply of the service. */
    readonly code: string | null = null,
    /** Whether the same may succeed a moment later: there was no reply, or the service says so. */
    readonly isPassing = false,
  ) {
    super(message);
    this.name = 'ServiceError';
  }
}
