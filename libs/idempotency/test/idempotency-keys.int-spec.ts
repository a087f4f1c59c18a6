import { SystemIdGenerator } from '#kernel';
import { createTestDatabase, type TestDatabase } from '#testing';
import { createHash } from 'node:crypto';
import { IdempotencyKeys } from '../src/idempotency-keys.js';
import type { KeyScope } from '../src/idempotent-reply.js';

const ROUTE = 'POST /api/v1/projects';
const CALLERS = ['anonymous', 'key-a', 'key-b'];
const fingerprint = (text: string) => createHash('sha256').update(text).digest();

describe('IdempotencyKeys', () => {
  let database: TestDatabase;
  let keys: IdempotencyKeys;
  beforeAll(async () => {
    database = await createTestDatabase();
    keys = new IdempotencyKeys(database.unitOfWork, new SystemIdGenerator());
  });
  afterAll(() => database.close());

  const answer = async (scope: KeyScope, body: unknown): Promise<void> => {
    const { claim } = await keys.claim(scope, fingerprint('same'));
    await database.unitOfWork.run((session) => claim!.keeping(() => ({ status: 201, headers: {}, body }))(session, null));
  };

  it('shows nobody the answer of another caller: 200 keys, three callers', async () => {
    for (let n = 0; n < 200; n++) {
      const key = `shared-key-${n}`;
      for (const caller of CALLERS) await answer({ caller, route: ROUTE, key }, { of: caller });
      for (const caller of CALLERS) {
        const { stored } = await keys.claim({ caller, route: ROUTE, key }, fingerprint('same'));
        expect(stored?.body).toEqual({ of: caller });
      }
    }
  });

  it('tells routes apart', async () => {
    const scope = { caller: 'key-a', route: ROUTE, key: 'routes-apart' };
    await answer(scope, 1);
    expect((await keys.claim({ ...scope, route: 'POST /api/v1/collections' }, fingerprint('same'))).claim).toBeDefined();
  });

  it('undoes the write of a request whose key was taken over, also when the new one has answered', async () => {
    const scope = { caller: 'key-a', route: ROUTE, key: 'taken-over' };
    const { claim: slow } = await keys.claim(scope, fingerprint('same'));
    await database.query(`UPDATE idempotency_keys SET claimed_until = now() - interval '1 second' WHERE key = 'taken-over'`);
    await answer(scope, 'of the second');
    const late = database.unitOfWork.run(async (session) => {
      await session.query(`INSERT INTO projects (name, description) VALUES ('late', 'late')`);
      await slow!.keeping(() => ({ status: 201, headers: {}, body: 'of the first' }))(session, null);
    });
    await expect(late).rejects.toMatchObject({ code: 'idempotency.in-progress' });
    await slow!.finish({ status: 500, headers: {}, body: 'nothing' });
    await slow!.release();
    expect((await database.query(`SELECT FROM projects WHERE name = 'late'`)).rowCount).toBe(0);
    expect((await keys.claim(scope, fingerprint('same'))).stored?.body).toBe('of the second');
  });

  it('keeps a key while its claim is renewed, and not when it is given back', async () => {
    const scope = { caller: 'key-a', route: ROUTE, key: 'renewed-key' };
    const { claim } = await keys.claim(scope, fingerprint('same'));
    await database.query(`UPDATE idempotency_keys SET claimed_until = now() - interval '1 second' WHERE key = 'renewed-key'`);
    await claim!.renew();
    await expect(keys.claim(scope, fingerprint('same'))).rejects.toMatchObject({ code: 'idempotency.in-progress' });
    await claim!.release();
    expect((await keys.claim(scope, fingerprint('other'))).claim).toBeDefined();
  });

  it('removes what is over, and nothing else', async () => {
    await database.query('DELETE FROM idempotency_keys');
    for (let n = 0; n < 3; n++) await answer({ caller: 'key-a', route: ROUTE, key: `old-key-${n}` }, n);
    await database.query(`UPDATE idempotency_keys SET expires_at = now() - interval '1 second' WHERE key <> 'old-key-1'`);
    expect(await keys.purge()).toBe(2);
    expect((await database.query<{ key: string }>('SELECT key FROM idempotency_keys')).rows).toEqual([{ key: 'old-key-1' }]);
  });
});
