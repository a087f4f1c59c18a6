import { EXIT } from '../program/exit-codes.js';

export interface ServiceErrorDetails {
  /** Whether the same may succeed a moment later: there was no reply, or the service says so. Default false. */
  readonly isPassing?: boolean;
  /** Of the reply. Default `null`: there was none. */
  readonly status?: number | null;
  /** What the person can do about it. */
  readonly advice?: string | null;
}

const FORBIDDEN_STATUSES: ReadonlySet<number | null> = new Set([401, 403]);

/** The service refused, failed, or does not answer: a sentence for the person at the terminal. */
export class ServiceError extends Error {
  readonly isPassing: boolean;
  readonly status: number | null;
  readonly advice: string | null;

  constructor(
    message: string,
    /** Code of the problem, for example `generations.conflict`; `null` when there was no reply of the service. */
    readonly code: string | null = null,
    { isPassing = false, status = null, advice = null }: ServiceErrorDetails = {},
  ) {
    super(message);
    this.name = 'ServiceError';
    this.isPassing = isPassing;
    this.status = status;
    this.advice = advice;
  }

  get text(): string {
    return this.advice === null ? this.message : `${this.message}\n${this.advice}`;
  }

  get exitCode(): number {
    if (FORBIDDEN_STATUSES.has(this.status)) return EXIT.forbidden;
    return this.isPassing ? EXIT.away : EXIT.failed;
  }
}
