import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { FatalStartupError } from '#kernel';
import { waitFor } from '#testing';
import { EmbeddedPostgres, type EmbeddedPostgresOptions } from './embedded-postgres.js';
import { isServerOf, readPostmasterFile } from './postmaster.js';

describe('EmbeddedPostgres', () => {
  let dataDir: string;
  let cluster: string;
  const started: EmbeddedPostgres[] = [];

  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'kindred-embedded-'));
    // Started by root, the server runs as another user, who must be able to pass.
    chmodSync(dataDir, 0o711);
    cluster = join(dataDir, 'postgres');
  });

  afterEach(async () => {
    for (const server of started.splice(0)) await server.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  function create(options: Partial<EmbeddedPostgresOptions> = {}): EmbeddedPostgres {
    // Without flushes the tests are faster; the first one has none of this.
    const server = new EmbeddedPostgres({ dataDir, isSupervised: false, settings: { fsync: 'off' }, ...options });
    started.push(server);
    return server;
  }

  async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({ connectionString: url });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  function serverPid(): number {
    return readPostmasterFile(cluster)!.pid;
  }

  it('creates a durable PostgreSQL 18 that only its owner can use, and stops it', async () => {
    const server = create({ settings: {} });
    const url = await server.start();
    expect(
      await query(
        url,
        `SELECT current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS sync, current_setting('server_version_num')::int / 10000 AS major, current_database() AS name`,
      ),
    ).toEqual([{ fsync: 'on', sync: 'on', major: 18, name: 'kindred' }]);
    expect(new URL(url).hostname).toBe('127.0.0.1');
    expect(
      await query(url, `SELECT current_setting('listen_addresses') AS addresses, current_setting('unix_socket_directories') AS sockets`),
    ).toEqual([{ addresses: '127.0.0.1', sockets: '' }]);
    await expect(query(url.replace(/:[^:@/]+@/, ':wrong@'), 'SELECT 1')).rejects.toMatchObject({ code: '28P01' });
    expect(statSync(join(cluster, 'kindred.password')).mode & 0o777).toBe(0o600);
    expect(statSync(cluster).mode & 0o077).toBe(0);
    const pid = serverPid();
    await server.stop();
    await server.stop();
    expect(isServerOf(pid, cluster)).toBe(false);
    expect(existsSync(join(cluster, 'postmaster.pid'))).toBe(false);
    expect(readdirSync(dataDir).sort()).toEqual(['postgres', 'postgres.log']);
  });

  it('runs in a process group of its own, so that a signal to ours does not reach it', async () => {
    await create().start();
    const { stdout } = spawnSync('ps', ['-o', 'pgid=', '-p', String(serverPid())], { encoding: 'utf8' });
    expect(Number(stdout)).toBe(serverPid());
  });

  it('keeps the rows over a restart', async () => {
    const first = create();
    await query(await first.start(), 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();
    expect(await query(await create().start(), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('takes over the server that a killed process left running', async () => {
    await query(await create().start(), 'CREATE TABLE kept AS SELECT 42 AS answer');
    const orphan = serverPid();
    const url = await create().start();
    expect(serverPid()).not.toBe(orphan);
    expect(isServerOf(orphan, cluster)).toBe(false);
    expect(await query(url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('starts after the server itself was killed, with what was committed', async () => {
    await query(await create().start(), 'CREATE TABLE kept AS SELECT 42 AS answer');
    const pid = serverPid();
    process.kill(pid, 'SIGKILL');
    await waitFor(() => !isServerOf(pid, cluster), { what: 'the killed server is gone' });
    expect(existsSync(join(cluster, 'postmaster.pid'))).toBe(true);
    expect(await query(await create().start(), 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
  });

  it('neither stops nor fears a program that got the process id of the killed server', async () => {
    const first = create();
    await first.start();
    const file = readFileSync(join(cluster, 'postmaster.pid'), 'utf8');
    await first.stop();
    // Of the same user, neither parent nor child of the server: PostgreSQL takes the file for that of a living server, and refuses to start.
    // (It is not fooled by processes of other users; started by root, it runs as another user.)
    const other = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1_000)'], { stdio: 'ignore' });
    try {
      writeFileSync(join(cluster, 'postmaster.pid'), file.replace(/^\d+/, String(other.pid)));
      await create().start();
      expect(serverPid()).not.toBe(other.pid);
      expect(other.exitCode ?? other.signalCode).toBeNull();
    } finally {
      other.kill('SIGKILL');
    }
  });

  it('starts the server again, at the same address, when it ends by itself', async () => {
    const url = await create({ isSupervised: true }).start();
    const pid = serverPid();
    process.kill(pid, 'SIGKILL');
    expect(await waitFor(() => query(url, 'SELECT 1 AS one'), { what: 'the server is back', timeoutMs: 20_000 })).toEqual([{ one: 1 }]);
    expect(serverPid()).not.toBe(pid);
  });

  it('refuses data of another major version, says what to do, and leaves it alone', async () => {
    const first = create();
    await first.start();
    await first.stop();
    writeFileSync(join(cluster, 'PG_VERSION'), '17\n');
    const before = readdirSync(cluster);
    const attempt = create().start();
    await expect(attempt).rejects.toBeInstanceOf(FatalStartupError);
    await expect(attempt).rejects.toThrow(/written by PostgreSQL 17.*brings PostgreSQL 18.*DATABASE_URL.*move the folder away/s);
    expect(readdirSync(cluster)).toEqual(before);
  });

  it('begins again when the creation was interrupted', async () => {
    mkdirSync(join(dataDir, 'postgres.creating', 'cluster', 'base'), { recursive: true });
    writeFileSync(join(dataDir, 'postgres.creating', 'cluster', 'PG_VERSION'), '18\n');
    expect(await query(await create().start(), 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(existsSync(join(dataDir, 'postgres.creating'))).toBe(false);
  });

  it('makes the database when the first start ended before that', async () => {
    const first = create();
    const url = new URL(await first.start());
    url.pathname = '/postgres';
    await query(url.toString(), 'DROP DATABASE kindred');
    await first.stop();
    expect(await query(await create().start(), 'SELECT current_database() AS name')).toEqual([{ name: 'kindred' }]);
  });

  it('does not overwrite a folder that is not its own', async () => {
    mkdirSync(cluster);
    writeFileSync(join(cluster, 'letter.txt'), 'dear reader');
    await expect(create().start()).rejects.toThrow(/not a PostgreSQL data directory.*DATA_DIR/s);
    expect(readFileSync(join(cluster, 'letter.txt'), 'utf8')).toBe('dear reader');
  });

  it('says what the server said when it cannot start', async () => {
    await expect(create({ settings: { shared_buffers: 'plenty' } }).start()).rejects.toThrow(
      /does not start.*invalid value for parameter "shared_buffers"/s,
    );
  });

  it('names DATABASE_URL as the way out when there are no binaries for the platform', async () => {
    const attempt = create({ packageName: '@embedded-postgres/plan9-mips' }).start();
    await expect(attempt).rejects.toBeInstanceOf(FatalStartupError);
    await expect(attempt).rejects.toThrow(/@embedded-postgres\/plan9-mips is not installed.*DATABASE_URL/s);
  });
});
