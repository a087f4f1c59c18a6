import { hasRelation, type CopyConnection, type SqlSession } from '#database';
import { hostname } from 'node:os';
import type { BackupManifest } from './backup-manifest.js';

const BEGIN = `INSERT INTO backups (id, location) VALUES ($1, $2)`;
const COMPLETE = `
INSERT INTO backups AS b (id, location, begun_at, finished_at, rows, bytes) VALUES ($1, $2, $3, clock_timestamp(), $4, $5)
ON CONFLICT (id) DO UPDATE SET finished_at = EXCLUDED.finished_at, rows = EXCLUDED.rows, bytes = EXCLUDED.bytes`;
const FORGET = `DELETE FROM backups WHERE id = $1`;

const sumOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0);

/** Which backups there are, and where: an erasure names those that may still hold what it erased. */
export class BackupRegister {
  private constructor(private readonly session: SqlSession) {}

  /** `null` for a database that is older than the register. */
  static async find({ session }: CopyConnection): Promise<BackupRegister | null> {
    return (await hasRelation(session, 'public.backups')) ? new BackupRegister(session) : null;
  }

  async begin(id: string, folder: string): Promise<void> {
    await this.session.query(BEGIN, [id, locationOf(folder)]);
  }

  async complete(manifest: BackupManifest): Promise<void> {
    await completeIn(this.session, manifest, null);
  }

  async forget(id: string): Promise<void> {
    await this.session.query(FORGET, [id]);
  }
}

/** @param folder where it lies, for a database that does not know it yet */
export async function completeIn(session: SqlSession, manifest: BackupManifest, folder: string | null): Promise<void> {
  const { id, created_at: createdAt, tables } = manifest;
  const location = folder === null ? '' : locationOf(folder);
  const [rows, bytes] = [sumOf(tables.map((table) => table.rows)), sumOf(tables.map((table) => table.bytes))];
  await session.query(COMPLETE, [id, location, createdAt, rows, bytes]);
}

/** A path means something on one machine only. */
const locationOf = (folder: string): string => `${hostname()}:${folder}`;
