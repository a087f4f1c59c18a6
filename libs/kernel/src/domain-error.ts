import { ERROR_CODES, type ErrorCode, type ErrorDefinition } from './error-codes.js';

/** One refused field of a request. */
export interface FieldProblem {
  /** JSON pointer (RFC 6901) into the body, or `?name` for a query parameter, or `:name` for a path parameter. */
  readonly pointer: string;
  /** Stable word for the rule that failed, for example `too-long`. */
  readonly code: string;
  readonly detail: string;
}

export interface DomainErrorOptions {
  /** A sentence for people; must hold nothing secret: it leaves the process. Default: the title of the code. */
  readonly detail?: string;
  readonly fields?: readonly FieldProblem[];
  /** Extra response headers that belong to this error, such as `Allow`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** An error that a caller can act on: it carries a code of the table, never an HTTP status. */
export class DomainError extends Error {
  readonly detail: string;
  readonly fields: readonly FieldProblem[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    readonly code: ErrorCode,
    options: DomainErrorOptions = {},
  ) {
    super(options.detail ?? ERROR_CODES[code].title, { cause: options.cause });
    this.name = 'DomainError';
    this.detail = options.detail ?? ERROR_CODES[code].title;
    this.fields = options.fields ?? [];
    this.headers = options.headers ?? {};
  }

  get definition(): ErrorDefinition {
    return ERROR_CODES[this.code];
  }
}
