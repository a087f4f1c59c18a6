import { join, resolve } from 'node:path';
import type { ParsedEnvironment } from './environment.js';

/** Where erasures are written down outside of the database. */
export class ErasureConfig {
  /** Absolute path of a file that is only added to. */
  readonly logFile: string;

  constructor(env: ParsedEnvironment) {
    this.logFile = resolve(env.ERASURE_LOG ?? join(env.DATA_DIR, 'erasures.ndjson'));
    Object.freeze(this);
  }
}
