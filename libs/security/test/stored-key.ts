import type { StoredKey } from '#security';

/** A key as the table has it, of which nothing is special; who it is and what it says belong to the test. */
export const PLAIN_KEY: Omit<StoredKey, 'keyId' | 'digest' | 'pepperId'> = {
  name: 'x',
  scopes: ['read'],
  collections: null,
  allowedCidrs: null,
  rateLimitPerMinute: null,
  replaces: null,
  createdAt: new Date(0),
  expiresAt: null,
  revokedAt: null,
  lastUsedAt: null,
};
