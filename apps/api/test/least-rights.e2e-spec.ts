import {
  administer,
  createTestDatabase,
  databaseUrl,
  newDatabaseName,
  runFolder,
  ServerProcess,
  waitFor,
  type TestDatabase,
} from '#testing';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';

const ROLE = `kindred_least_${process.pid}`;
const INSUFFICIENT_PRIVILEGE = '42501';
const POWERS = ['SUPERUSER', 'CREATEDB', 'CREATEROLE', 'REPLICATION', 'BYPASSRLS'];
const PREDEFINED_ROLES = [
  'pg_read_server_files',
  'pg_write_server_files',
  'pg_execute_server_program',
  'pg_read_all_data',
  'pg_write_all_data',
  'pg_read_all_settings',
  'pg_monitor',
  'pg_signal_backend',
  'pg_checkpoint',
  'pg_maintain',
  'pg_create_subscription',
  'pg_use_reserved_connections',
];

/** What none of Kindred's work needs, and an attacker with its connection would want. */
const FORBIDDEN = [
  ...POWERS.map((power) => `ALTER ROLE ${ROLE} ${power}`),
  ...PREDEFINED_ROLES.map((role) => `GRANT ${role} TO ${ROLE}`),
  'CREATE ROLE another',
  'CREATE DATABASE another',
  'DROP DATABASE postgres',
  'ALTER DATABASE postgres SET work_mem = 1024',
  'ALTER DATABASE template1 RENAME TO another',
  'ALTER SYSTEM SET shared_preload_libraries = $$x$$',
  `COPY (SELECT 1) TO PROGRAM 'id'`,
  `COPY projects (name) FROM PROGRAM 'id'`,
  `COPY (SELECT 1) TO '/tmp/kindred-copied'`,
  `COPY projects (name) FROM '/etc/passwd'`,
  `SELECT pg_read_file('/etc/passwd')`,
  `SELECT pg_read_binary_file('PG_VERSION')`,
  `SELECT pg_ls_dir('/')`,
  `SELECT pg_stat_file('/etc/passwd')`,
  `SELECT pg_ls_logdir()`,
  `SELECT pg_ls_waldir()`,
  `SELECT lo_import('/etc/passwd')`,
  `SELECT lo_export(1, '/tmp/kindred-exported')`,
  'SELECT rolpassword FROM pg_authid',
  'SELECT passwd FROM pg_shadow',
  'SELECT * FROM pg_hba_file_rules',
  'SELECT * FROM pg_file_settings',
  'SELECT pg_reload_conf()',
  'SELECT pg_rotate_logfile()',
  'SELECT pg_switch_wal()',
  `SELECT pg_create_restore_point('x')`,
  'SELECT pg_promote()',
  `SELECT pg_backup_start('x')`,
  `SELECT pg_create_physical_replication_slot('x')`,
  `CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'x', 'y'`,
  `CREATE FUNCTION f() RETURNS int LANGUAGE internal AS 'now'`,
  `CREATE TABLESPACE t LOCATION '/tmp'`,
  'CREATE PUBLICATION p FOR ALL TABLES',
  `CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p`,
  'CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$; CREATE EVENT TRIGGER e ON ddl_command_start EXECUTE FUNCTION f()',
  'SET session_replication_role = replica',
  'SET log_statement = $$none$$',
  `LOAD '/tmp/x.so'`,
  'UPDATE pg_class SET relname = relname',
  'DELETE FROM pg_proc',
  'INSERT INTO pg_authid SELECT * FROM pg_authid',
  'DROP SCHEMA pg_catalog CASCADE',
  'CREATE TABLE pg_catalog.t (x int)',
  'DROP SCHEMA public CASCADE',
  'ALTER SCHEMA public RENAME TO another',
];

describe('the rights that Kindred needs in PostgreSQL', () => {
  let server: TestDatabase;
  let name: string;
  let url: string;
  let owner: string;
  const dataDir = mkdtempSync(join(tmpdir(), 'kindred-least-'));
  beforeAll(async () => {
    server = await createTestDatabase();
    owner = new URL(server.adminUrl).username;
    name = newDatabaseName(runFolder(), 'least');
    await administer(server.adminUrl, `CREATE DATABASE ${name}`);
    await administer(server.adminUrl, `CREATE ROLE ${ROLE} LOGIN PASSWORD 'least'`);
    await administer(server.adminUrl, `REVOKE ALL ON DATABASE ${name} FROM PUBLIC`);
    await administer(server.adminUrl, `GRANT CONNECT, CREATE ON DATABASE ${name} TO ${ROLE}`);
    await administer(databaseUrl(server.adminUrl, name), `GRANT USAGE, CREATE ON SCHEMA public TO ${ROLE}`);
    const own = new URL(databaseUrl(server.adminUrl, name));
    [own.username, own.password] = [ROLE, 'least'];
    url = own.href;
  });
  afterAll(async () => {
    await administer(server.adminUrl, `DROP DATABASE ${name} WITH (FORCE)`);
    await administer(server.adminUrl, `DROP ROLE ${ROLE}`);
    await server.close();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it('are to connect and to create in one database: it starts, writes, finds and imports', async () => {
    const api = await ServerProcess.start({ DATABASE_URL: url, DATA_DIR: dataDir }, { preloads: ['fake-embedder'] });
    try {
      const written = await api.call('POST', '/api/v1/projects?wait_for_index_ms=10000', { name: 'Oak', description: 'Oak kitchen' });
      expect(written.status).toBe(201);
      const found = await api.call<{ total: number }>('POST', '/api/v1/similarity/find-similar', { query: 'oak kitchen' });
      expect([found.status, found.body.total]).toEqual([200, 1]);
      const begun = await fetch(`${api.url}/api/v1/projects/import`, {
        method: 'POST',
        headers: { 'content-type': 'text/csv' },
        body: 'name,description\nAsh,Ash stairs\n',
      });
      const { id } = (await begun.json()) as { id: string };
      await waitFor(async () => (await api.call<{ state: string }>('GET', `/api/v1/jobs/${id}`)).body.state === 'done', {
        what: 'the import is done',
        timeoutMs: 30_000,
      });
    } finally {
      expect(await api.end('SIGTERM')).toBe(0);
    }
  }, 90_000);

  it('allow nothing of more than sixty statements that reach beyond it', async () => {
    const forbidden = [...FORBIDDEN, `SET ROLE ${owner}`, `SET SESSION AUTHORIZATION ${owner}`, `ALTER ROLE ${owner} PASSWORD 'x'`];
    expect(forbidden.length).toBeGreaterThanOrEqual(60);
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      const outcomes: [string, string | undefined][] = [];
      // Without a transaction around them: some statements refuse to be in one before they look at rights.
      for (const sql of forbidden)
        outcomes.push([
          sql,
          await client.query(sql).then(
            () => 'done',
            ({ code }: { code?: string }) => code,
          ),
        ]);
      expect(outcomes.filter(([, outcome]) => outcome !== INSUFFICIENT_PRIVILEGE)).toEqual([]);
    } finally {
      await client.end();
    }
  });
});
