import type { IdempotencyClaim } from '../idempotency-claim.js';

const CLAIMS = new WeakMap<object, IdempotencyClaim>();

/** Remembers the claim for as long as the request lives. */
export function rememberClaim(request: object, claim: IdempotencyClaim): void {
  CLAIMS.set(request, claim);
}

export function claimOfRequest(request: object): IdempotencyClaim | null {
  return CLAIMS.get(request) ?? null;
}
