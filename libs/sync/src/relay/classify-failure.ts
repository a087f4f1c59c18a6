import { DomainError } from '#kernel';
import { VectorStoreError } from '#vector-store';
import { LeaseLostError } from './lease.js';

/** A relay that stops aborts its passes with this. */
export class RelayStoppedError extends Error {
  constructor() {
    super('The relay is stopping');
    this.name = 'RelayStoppedError';
  }
}

/** The provider's gate is closed: it was not called. */
export class ProviderPausedError extends Error {
  constructor(readonly remainingMs: number) {
    super('The provider is paused');
    this.name = 'ProviderPausedError';
  }
}

/**
 * What a failure says, and so what is done about it.
 *
 * - `stopped`: nothing; let go of the entries
 * - `lost`: the entries may be somebody else's; record nothing
 * - `database`: nothing can be recorded reliably; give the attempt back or let the lease end
 * - `paused`: the provider was not even asked
 * - `throttled`: the provider asked for a pause
 * - `store-unavailable`, `embedder-unavailable`: either the provider is away, or it cannot take these entries; ask it
 * - `collection-missing`: the index was lost
 * - `misconfigured`: no entry is to blame, and waiting does not help by itself
 * - `entry`: one of the entries cannot be processed; find out which
 */
export type FailureKind =
  | 'stopped'
  | 'lost'
  | 'database'
  | 'paused'
  | 'throttled'
  | 'store-unavailable'
  | 'embedder-unavailable'
  | 'collection-missing'
  | 'misconfigured'
  | 'entry';

export function classifyFailure(error: unknown): FailureKind {
  if (error instanceof RelayStoppedError) return 'stopped';
  if (error instanceof LeaseLostError) return 'lost';
  if (error instanceof ProviderPausedError) return 'paused';
  if (error instanceof VectorStoreError) return classifyStoreFailure(error);
  if (error instanceof DomainError) {
    if (error.code === 'database.unavailable' || error.code === 'database.busy') return 'database';
    if (error.code === 'search.embedder-unavailable') return 'embedder-unavailable';
  }
  return 'entry';
}

function classifyStoreFailure(error: VectorStoreError): FailureKind {
  switch (error.kind) {
    case 'throttled':
      return 'throttled';
    case 'unavailable':
      return 'store-unavailable';
    case 'collection-missing':
      return 'collection-missing';
    // Vectors are checked against the generation before they are sent, so it is the collection that has another dimension.
    case 'dimension-mismatch':
      return 'misconfigured';
    case 'point-missing':
    case 'invalid-point':
    case 'rejected':
      return 'entry';
  }
}

const MESSAGE_LENGTH = 500;

/** The stable word for a failure, and its text, short enough for a row. */
export function describeFailure(error: unknown): { code: string; message: string } {
  const message = (error instanceof Error ? error.message : String(error)).slice(0, MESSAGE_LENGTH);
  if (error instanceof VectorStoreError) return { code: `vector-store.${error.kind}`, message };
  if (error instanceof DomainError) return { code: error.code, message: error.detail.slice(0, MESSAGE_LENGTH) };
  return { code: 'sync.unexpected', message };
}
