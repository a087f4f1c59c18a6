import { constants } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BackupError } from './backup-error.js';
import { MANIFEST_FILE, type BackupManifest } from './backup-manifest.js';

const FOLDER_MODE = 0o700;
/** Customers' rows and hashes of keys are in these files. */
const FILE_MODE = 0o600;
const PARTIAL = `${MANIFEST_FILE}.partial`;

/** The folder of a backup that is being written: of this writer alone, from its claim on. */
export class BackupFolder {
  private readonly made: string[] = [PARTIAL];

  private constructor(readonly path: string) {}

  /** Takes a folder that is empty or not there yet, by the beginning of its manifest. @throws BackupError when it is in use */
  static async claim(path: string): Promise<BackupFolder> {
    await mkdir(path, { recursive: true, mode: FOLDER_MODE });
    const folder = new BackupFolder(path);
    try {
      await makeEmpty(join(path, PARTIAL));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST')
        throw new BackupError(`${path} is not empty: another backup is being written into it, or was cut off. Name a new folder.`);
      throw error;
    }
    if ((await readdir(path)).length > 1) {
      await folder.removeFiles();
      throw new BackupError(`${path} is not empty. Name a new folder; a backup never overwrites another.`);
    }
    return folder;
  }

  /** Makes an empty file that only its owner may read; returns its path. */
  async newFile(name: string): Promise<string> {
    const path = join(this.path, name);
    await makeEmpty(path);
    this.made.push(name);
    return path;
  }

  /** Makes the folder a backup, at once. */
  async finish(manifest: BackupManifest): Promise<void> {
    const file = await open(join(this.path, PARTIAL), 'r+');
    try {
      await file.writeFile(`${JSON.stringify(manifest, null, 2)}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(join(this.path, PARTIAL), join(this.path, MANIFEST_FILE));
    this.made.push(MANIFEST_FILE);
    // The name, too, must survive the end of the machine.
    const directory = await open(this.path, constants.O_RDONLY);
    await directory.sync().finally(() => directory.close());
  }

  /** What this writer has made, and nothing else. The claim goes last. */
  async removeFiles(): Promise<void> {
    for (const name of this.made.toReversed()) await rm(join(this.path, name), { force: true });
  }
}

async function makeEmpty(path: string): Promise<void> {
  await (await open(path, 'wx', FILE_MODE)).close();
}
