import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';

const FORMAT_VERSION = 1;
const OWNER_ONLY = 0o600;

/** The aliases on disk: small, so it is written whole and before the call resolves. */
export class AliasFile {
  readonly path: string;

  constructor(private readonly folder: string) {
    this.path = join(folder, 'aliases.json');
  }

  /**
   * Returns alias -> collection; empty when there is no file.
   *
   * @throws Error when the file is damaged or of another format
   */
  read(): Map<string, string> {
    let text: string;
    try {
      text = readFileSync(this.path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
      throw error;
    }
    const parsed = JSON.parse(text) as { format_version?: number; aliases?: [string, string][]; sha256?: string };
    const isWhole = parsed.format_version === FORMAT_VERSION && Array.isArray(parsed.aliases) && parsed.sha256 === checksum(parsed.aliases);
    if (!isWhole) throw new Error('its checksum or format does not match');
    return new Map(parsed.aliases);
  }

  /** Replaces the file; after a crash it is the old one or the new one. */
  write(aliases: ReadonlyMap<string, string>): void {
    const entries = [...aliases];
    const text = JSON.stringify({ format_version: FORMAT_VERSION, aliases: entries, sha256: checksum(entries) });
    const temporary = `${this.path}.tmp`;
    const file = openSync(temporary, 'w', OWNER_ONLY);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, this.path);
    syncFolderNow(this.folder);
  }
}

/** Makes a rename or removal in the folder survive a loss of power; blocks for the time of one disk write. */
export function syncFolderNow(folder: string): void {
  const handle = openSync(folder, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

function checksum(entries: readonly (readonly [string, string])[]): string {
  return createHash('sha256').update(JSON.stringify(entries)).digest('hex');
}
