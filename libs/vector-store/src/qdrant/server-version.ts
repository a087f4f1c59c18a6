import { VectorStoreError } from '../vector-store-error.js';

/** Conditional writes (1.16), `wait_timeout` (1.17) and update timeouts (1.18) are what the adapter stands on. */
const OLDEST_ACCEPTED_MINOR = 18;
/** From 1.19 on a conditional write is resolved before it enters the log; earlier servers replay the condition itself after a restart. */
const FULLY_SUPPORTED_MINOR = 19;

/**
 * Judges the version that a server reports: `full` support, or `limited` (1.18: no slices, a certificate is due after each of its restarts).
 *
 * @throws VectorStoreError `rejected` for an older server, or one whose version cannot be read
 */
export function judgeServerVersion(version: string): 'full' | 'limited' {
  const match = /^(\d+)\.(\d+)\./.exec(version);
  if (match === null) throw new VectorStoreError('rejected', `The server calls its version "${version}"; Qdrant 1.18 or later is needed`);
  const [major, minor] = [Number(match[1]), Number(match[2])];
  if (major < 1 || (major === 1 && minor < OLDEST_ACCEPTED_MINOR)) {
    throw new VectorStoreError('rejected', `Qdrant ${version} is too old: 1.18 or later is needed, 1.19 or later is recommended`);
  }
  return major === 1 && minor < FULLY_SUPPORTED_MINOR ? 'limited' : 'full';
}
