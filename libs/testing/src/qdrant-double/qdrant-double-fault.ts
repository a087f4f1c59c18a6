/**
 * What goes wrong with a request.
 *
 * - `reset`: the connection breaks before anything is applied
 * - `drop-reply`: applied, then the connection breaks
 * - `delay`: applied after `ms`, also when the client has gone meanwhile: the late write
 * - `hold`: as `delay`, until {@link HeldRequest.release}
 * - `status`: nothing is applied; this status is answered, with Retry-After when given
 * - `update-status`: a write is applied (or not) and answered with a status other than `completed`
 * - `reply`: nothing is applied; this is answered, whatever it is
 */
export type QdrantDoubleFault =
  | { readonly kind: 'reset' }
  | { readonly kind: 'drop-reply' }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'hold' }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfter?: string; readonly message?: string }
  | { readonly kind: 'update-status'; readonly status: 'acknowledged' | 'wait_timeout'; readonly isApplied: boolean }
  | { readonly kind: 'reply'; readonly status: number; readonly contentType: string; readonly body: string };

export interface FaultSelection {
  /** Matched against `METHOD /path?query`. Default: every request. */
  readonly on?: RegExp;
  /** Asked about each request that fits: whether it is hit. Default: it is. */
  readonly when?: () => boolean;
  /** How many requests it hits. Default 1. */
  readonly times?: number;
}

/** A fault in place. */
export interface InjectedFault {
  /** Resolves when a request has met it. */
  readonly met: Promise<void>;
  /** Lets a held request, and all after it, go on. */
  release(): void;
}
