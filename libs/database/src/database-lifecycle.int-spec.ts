import { DomainError, FatalStartupError } from '#kernel';
import { createTestDatabase, waitFor, type TestDatabase } from '#testing';
import { Logger } from '@nestjs/common';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseLifecycle } from './database-lifecycle.js';
import { findFreePort } from './embedded/free-port.js';
import { isServerOf, readPostmasterFile } from './embedded/postmaster.js';
import { TypeOrmUnitOfWork } from './typeorm-unit-of-work.js';

/** A server that can be switched off and on: a TCP proxy before the real one. */
class SwitchableServer {
  private server: Server | null = null;
  private readonly sockets = new Set<Socket>();

  constructor(
    readonly port: number,
    private readonly target: URL,
  ) {}

  async on(): Promise<void> {
    this.server = createServer((client) => {
      const upstream = connect(Number(this.target.port), this.target.hostname);
      for (const socket of [client, upstream]) {
        this.sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => this.sockets.delete(socket));
      }
      client.pipe(upstream).pipe(client);
    });
    this.server.listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
  }

  async off(): Promise<void> {
    const { server } = this;
    this.server = null;
    if (server === null) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}

describe('DatabaseLifecycle', () => {
  let database: TestDatabase;
  let dataDir: string;
  let proxy: SwitchableServer;
  let warnings: jest.SpyInstance;
  const lifecycles: DatabaseLifecycle[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
  });

  beforeEach(async () => {
    dataDir = mkdtempSync(join(tmpdir(), 'kindred-lifecycle-'));
    proxy = new SwitchableServer(await findFreePort('127.0.0.1'), new URL(database.url));
    warnings = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  });

  afterEach(async () => {
    for (const lifecycle of lifecycles.splice(0)) await lifecycle.close();
    await proxy.off();
    warnings.mockRestore();
    rmSync(dataDir, { recursive: true, force: true });
  });

  afterAll(() => database.close());

  function create(url: string | null): DatabaseLifecycle {
    const lifecycle = new DatabaseLifecycle({ url, dataDir, entities: [], closeTimeoutMs: 500 });
    lifecycles.push(lifecycle);
    return lifecycle;
  }

  function proxiedUrl(): string {
    const url = new URL(database.url);
    url.port = String(proxy.port);
    return url.toString();
  }

  it('connects and migrates in the background, with a pool each for requests and relay', async () => {
    const lifecycle = create(database.url);
    lifecycle.onModuleInit();
    expect(lifecycle.isReady).toBe(false);
    await lifecycle.ready();
    expect(lifecycle.isReady).toBe(true);
    expect(lifecycle.url).toBe(database.url);
    expect(await lifecycle.ping()).toBeGreaterThan(0);
    const busy = Array.from({ length: 10 }, () => new TypeOrmUnitOfWork(() => lifecycle.requests).query('SELECT pg_sleep(1)'));
    const relayed = new TypeOrmUnitOfWork(() => lifecycle.relay).query<{ name: string }>(
      `SELECT current_setting('application_name') AS name`,
    );
    // Requests that take all their connections do not hold up the relay.
    await Promise.race([relayed, Promise.all(busy).then(() => Promise.reject(new Error('the relay waited for the requests')))]);
    expect((await relayed).rows).toEqual([{ name: 'kindred-relay' }]);
    await Promise.all(busy);
  });

  it('answers calls that come too early with database.unavailable', async () => {
    const lifecycle = create(proxiedUrl());
    lifecycle.start();
    const early = new TypeOrmUnitOfWork(() => lifecycle.requests);
    await expect(early.query('SELECT 1')).rejects.toMatchObject({ code: 'database.unavailable' });
    await expect(lifecycle.ping()).rejects.toBeInstanceOf(DomainError);
    expect(() => lifecycle.url).toThrow(DomainError);
  });

  it('waits for an external server that is not there yet, and says so once a minute only', async () => {
    const lifecycle = create(proxiedUrl());
    let isSettled = false;
    const ready = lifecycle.ready().finally(() => (isSettled = true));
    const attempts = jest.spyOn(lifecycle as unknown as { connect: () => Promise<unknown> }, 'connect');
    await waitFor(() => attempts.mock.calls.length >= 4, { what: 'several attempts' });
    expect(isSettled).toBe(false);
    expect(warnings.mock.calls).toEqual([[expect.stringContaining('ECONNREFUSED')]]);
    await proxy.on();
    await ready;
    expect(lifecycle.isReady).toBe(true);
  });

  it('recovers by itself when the server goes away and comes back', async () => {
    await proxy.on();
    const lifecycle = create(proxiedUrl());
    await lifecycle.ready();
    const requests = new TypeOrmUnitOfWork(() => lifecycle.requests);
    await Promise.all(Array.from({ length: 5 }, () => requests.query('SELECT 1')));
    await proxy.off();
    await expect(requests.query('SELECT 1')).rejects.toMatchObject({ code: 'database.unavailable' });
    await expect(lifecycle.ping()).rejects.toBeDefined();
    await proxy.on();
    await waitFor(() => requests.query('SELECT 1'), { what: 'requests are answered again' });
    expect(await lifecycle.ping()).toBeGreaterThan(0);
  });

  it('can be closed while it waits, and while it starts its own server', async () => {
    const waiting = create(proxiedUrl());
    waiting.start();
    await waiting.close();
    await waiting.close();
    const starting = create(null);
    starting.start();
    await starting.onApplicationShutdown();
    expect(readPostmasterFile(join(dataDir, 'postgres'))).toBeNull();
  });

  it('starts a server of its own, and stops it at the end', async () => {
    const lifecycle = create(null);
    await lifecycle.ready();
    expect(await lifecycle.requests.query<unknown[]>('SELECT 1 FROM projects')).toEqual([]);
    const pid = readPostmasterFile(join(dataDir, 'postgres'))!.pid;
    await lifecycle.close();
    expect(lifecycle.isReady).toBe(false);
    expect(isServerOf(pid, join(dataDir, 'postgres'))).toBe(false);
  });

  it('does not wait for ever for a statement that does not end', async () => {
    const lifecycle = create(null);
    await lifecycle.ready();
    const endless = new TypeOrmUnitOfWork(() => lifecycle.requests).query('SELECT pg_sleep(600)').catch((error: unknown) => error);
    await waitFor(
      async () => (await lifecycle.relay.query<unknown[]>(`SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'`)).length > 0,
      { what: 'the statement runs' },
    );
    await lifecycle.close();
    expect(await endless).toMatchObject({ code: 'database.unavailable' });
  });

  it('goes on without TLS where sslmode allows it, and only there', async () => {
    const lifecycle = create(`${database.url}?sslmode=prefer`);
    await lifecycle.ready();
    expect(await lifecycle.ping()).toBeGreaterThan(0);
    const strict = create(`${database.url}?sslmode=require`);
    strict.start();
    await waitFor(() => warnings.mock.calls.some(([text]) => String(text).includes('SSL')), { what: 'the refusal is logged' });
    expect(strict.isReady).toBe(false);
  });

  it('rejects with a fatal error where only a person can help', async () => {
    mkdirSync(join(dataDir, 'postgres'));
    writeFileSync(join(dataDir, 'postgres', 'PG_VERSION'), '9.6\n');
    const embedded = create(null);
    await expect(embedded.ready()).rejects.toBeInstanceOf(FatalStartupError);
    await expect(embedded.ready()).rejects.toThrow('PostgreSQL 9.6');
    await database.query(`INSERT INTO migrations (timestamp, name) VALUES (1999999999999, 'FromTheFuture1999999999999')`);
    const newer = create(database.url);
    await expect(newer.ready()).rejects.toBeInstanceOf(FatalStartupError);
    await database.query(`DELETE FROM migrations WHERE timestamp = 1999999999999`);
  });
});
