import type { DomainError } from '#kernel';

/** Who asked for what under which key; another caller, or another route, has keys of its own. */
export interface KeyScope {
  readonly caller: string;
  /** Method and pattern of the path, for example `POST /api/v1/projects`. */
  readonly route: string;
  readonly key: string;
}

/** An answer that can be given again. */
export interface IdempotentReply {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  /** Becomes JSON; `undefined` = no body. */
  readonly body: unknown;
}

/** What of an error can be told again. */
export type Refusal = Pick<DomainError, 'code' | 'detail' | 'fields'>;

/** Stands for the status of a refusal: which one belongs to its code is for HTTP to say. */
export const REFUSED = 0;

/** An answer as it was stored. */
export interface StoredReply extends IdempotentReply {
  /** Set when it was refused; then there is no other answer. */
  readonly refusal: Refusal | null;
  /** SHA-256 of the file that was sent; `null` = the body was no file. */
  readonly fileDigest: Buffer | null;
}
