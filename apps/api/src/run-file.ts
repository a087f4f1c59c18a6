import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface RunFileContent {
  readonly pid: number;
  readonly url: string;
  readonly database_url: string;
}

/** Says, in DATA_DIR/run.json, where the running service and its database are. Mode 0600: the database URL holds a password. */
export class RunFile {
  private readonly path: string;

  constructor(dataDir: string) {
    this.path = join(dataDir, 'run.json');
  }

  write(content: RunFileContent): void {
    // Removed first: `mode` only counts for a file that is created.
    rmSync(this.path, { force: true });
    writeFileSync(this.path, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
  }

  remove(): void {
    rmSync(this.path, { force: true });
  }
}
