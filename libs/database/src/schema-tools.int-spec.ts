import { DatabaseConfig, DataConfig, DataDirLock, parseEnvironment } from '#config';
import { createTestDatabase } from '#testing';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Entity, PrimaryColumn } from 'typeorm';
import { runMigrations } from './migrate.js';
import { findSchemaDrift, withSchemaDataSource } from './schema-tools.js';

@Entity('gadgets')
class GadgetEntity {
  @PrimaryColumn({ type: 'integer', primaryKeyConstraintName: 'gadgets_pkey' })
  id!: number;
}

describe('withSchemaDataSource', () => {
  let dataDir: string;

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'kindred-schema-'));
  });

  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  function settings(url?: string) {
    const env = parseEnvironment({ DATA_DIR: dataDir, DATABASE_URL: url });
    return { database: new DatabaseConfig(env), data: new DataConfig(env), entities: [GadgetEntity] };
  }

  it('works on the server of DATABASE_URL, and lists what entities and schema differ in', async () => {
    const database = await createTestDatabase();
    const drift = await withSchemaDataSource(settings(database.url), findSchemaDrift);
    expect(drift.up).toEqual([expect.stringMatching(/^CREATE TABLE "gadgets"/)]);
    expect(drift.down).toEqual([expect.stringMatching(/^DROP TABLE "gadgets"/)]);
    await database.query('CREATE TABLE gadgets (id integer PRIMARY KEY)');
    expect(await withSchemaDataSource(settings(database.url), findSchemaDrift)).toEqual({ up: [], down: [] });
    await database.close();
  });

  it('starts the embedded server for the time of the work, unless the service has it', async () => {
    expect(await withSchemaDataSource(settings(), runMigrations)).not.toEqual([]);
    expect(existsSync(join(dataDir, 'postgres', 'postmaster.pid'))).toBe(false);
    const lock = await DataDirLock.acquire(dataDir);
    await expect(withSchemaDataSource(settings(), runMigrations)).rejects.toThrow(`in use by process ${process.pid}`);
    await lock.release();
  });
});
