import { loadConfig } from '#config';
import { administer, runFolder, selfSignedCertificate } from '#testing';
import { X509Certificate } from 'node:crypto';
import { chownSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseConnection } from './database-connection.js';
import { EmbeddedPostgres } from './embedded/embedded-postgres.js';

/** The name in the certificate of the server; the same server is also at 127.0.0.1, which is not in it. */
const NAME = 'localhost';

describe('PostgreSQL over TLS', () => {
  let server: EmbeddedPostgres;
  let plainUrl: string;
  let caFile: string;
  let otherCaFile: string;

  beforeAll(async () => {
    const dataDir = join(runFolder(), 'tls');
    mkdirSync(dataDir);
    server = new EmbeddedPostgres({ dataDir, settings: { fsync: 'off' }, isSupervised: false });
    plainUrl = await server.start();
    const { certificate, key } = selfSignedCertificate(NAME);
    const cluster = join(dataDir, 'postgres');
    // PostgreSQL reads only a key that belongs to the user it runs as, and to nobody else.
    const { uid, gid } = statSync(join(cluster, 'PG_VERSION'));
    for (const [name, text] of [
      ['server.crt', certificate],
      ['server.key', key],
    ] as const) {
      writeFileSync(join(cluster, name), text, { mode: 0o600 });
      chownSync(join(cluster, name), uid, gid);
    }
    caFile = join(dataDir, 'ca.pem');
    writeFileSync(caFile, certificate);
    otherCaFile = join(dataDir, 'other-ca.pem');
    writeFileSync(otherCaFile, selfSignedCertificate(NAME).certificate);
    await administer(plainUrl, 'ALTER SYSTEM SET ssl = on');
    await administer(plainUrl, 'SELECT pg_reload_conf()');
    await untilEncrypted();
  });
  afterAll(() => server.stop());

  const urlOf = (host: string, mode?: string): string => {
    const url = new URL(plainUrl);
    url.hostname = host;
    if (mode !== undefined) url.searchParams.set('sslmode', mode);
    return url.toString();
  };

  /** Connects with this configuration as the service does, and says whether the line is encrypted. */
  async function isEncrypted(environment: Record<string, string>): Promise<boolean> {
    const connection = await DatabaseConnection.open(loadConfig(environment).database.url!);
    try {
      const { rows } = await connection.unitOfWork.query<{ ssl: boolean }>('SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
      return rows[0]!.ssl;
    } finally {
      await connection.close();
    }
  }

  /** The server reads its new settings a moment after it is told to. */
  async function untilEncrypted(): Promise<void> {
    const deadlineMs = performance.now() + 10_000;
    while (!(await isEncrypted({ DATABASE_URL: urlOf(NAME, 'prefer') })))
      if (performance.now() > deadlineMs) throw new Error('The server did not take up TLS');
  }

  it('makes certificates that others can read', () => {
    const { certificate } = selfSignedCertificate('db.example');
    const read = new X509Certificate(certificate);
    expect([read.subject, read.ca, read.checkHost('db.example'), read.checkHost('other.example'), read.verify(read.publicKey)]).toEqual([
      'CN=db.example',
      true,
      'db.example',
      undefined,
      true,
    ]);
  });

  it.each([
    [undefined, false],
    ['disable', false],
    ['prefer', true],
    ['require', true],
    ['no-verify', true],
  ])('without a CA, sslmode %s: encrypted is %s', async (mode, expected) => {
    expect(await isEncrypted({ DATABASE_URL: urlOf('127.0.0.1', mode) })).toBe(expected);
  });

  it('without a CA, verify-full refuses a certificate that nobody vouches for', async () => {
    await expect(isEncrypted({ DATABASE_URL: urlOf(NAME, 'verify-full') })).rejects.toThrow(/self.signed certificate/);
  });

  it.each([
    ['nothing said', NAME, undefined],
    ['verify-full', NAME, 'verify-full'],
    ['verify-ca, whatever the name', '127.0.0.1', 'verify-ca'],
    ['require, which verifies as soon as there is a CA', '127.0.0.1', 'require'],
  ])('with the CA, %s: verified and encrypted', async (_name, host, mode) => {
    expect(await isEncrypted({ DATABASE_URL: urlOf(host, mode), DATABASE_CA_FILE: caFile })).toBe(true);
  });

  it.each([undefined, 'verify-full'])('with the CA, sslmode %s refuses a server of another name', async (mode) => {
    await expect(isEncrypted({ DATABASE_URL: urlOf('127.0.0.1', mode), DATABASE_CA_FILE: caFile })).rejects.toThrow(/altnames/);
  });

  it.each([undefined, 'require', 'verify-ca', 'verify-full'])('refuses a server that another CA vouches for (%s)', async (mode) => {
    await expect(isEncrypted({ DATABASE_URL: urlOf(NAME, mode), DATABASE_CA_FILE: otherCaFile })).rejects.toThrow(
      /self.signed certificate|unable to verify/,
    );
  });
});
