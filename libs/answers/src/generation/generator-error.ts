/** The model wrote nothing that can be used. The message holds no key, no prompt, and nothing that the service wrote. */
export class GeneratorError extends Error {
  constructor(
    message: string,
    readonly options: {
      /** Whether the next prompt would most likely fail as well: the service is to blame, not this prompt. */
      readonly isOutage: boolean;
      /** What the service asked for. */
      readonly retryAfterMs?: number | undefined;
      readonly cause?: unknown;
    },
  ) {
    super(message, { cause: options.cause });
    this.name = 'GeneratorError';
  }
}
