import type { DataSource } from 'typeorm';
import { FatalStartupError } from '#kernel';

/** The oldest supported major version, in the form of `server_version_num`. */
const OLDEST = 140_000;

/** @throws FatalStartupError for a server older than PostgreSQL 14 */
export async function assertServerVersion(source: DataSource): Promise<void> {
  const [row] = await source.query<{ number: string; name: string }[]>(
    `SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS name`,
  );
  if (row === undefined || Number(row.number) >= OLDEST) return;
  throw new FatalStartupError(
    `The server behind DATABASE_URL is PostgreSQL ${row.name}; Kindred needs PostgreSQL 14 or later. Upgrade it, or point DATABASE_URL to a newer one.`,
  );
}
