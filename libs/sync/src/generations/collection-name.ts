import { randomBytes } from 'node:crypto';

/** Bytes of the random part: a fresh or restored database must never meet an old collection's revs. */
const RANDOM_BYTES = 3;

/** What the names of all collections of a source begin with; also the alias for outside readers. */
export const aliasOf = (prefix: string, source: string): string => `${prefix}_${source}`;

/** A physical name that no other generation has or had. */
export const newCollectionName = (prefix: string, source: string, generationId: number): string =>
  `${aliasOf(prefix, source)}_g${generationId}_${randomBytes(RANDOM_BYTES).toString('hex')}`;
