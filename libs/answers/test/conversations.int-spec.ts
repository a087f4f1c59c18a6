import { ANSWERS_ENTITIES } from '#answers';
import { loadConfig, type AnswersConfig } from '#config';
import type { UnitOfWork } from '#database';
import { createTestDatabase, waitFor, type TestDatabase } from '#testing';
import { randomUUID } from 'node:crypto';
import type { Exchange } from '../src/chat/conversation.js';
import { ConversationRepository } from '../src/chat/conversation.repository.js';

const CITATION = {
  number: 1,
  document_id: randomUUID(),
  title: 'Oak',
  external_id: null,
  chunk_id: randomUUID(),
  start: 0,
  end: 4,
};
const exchangeOf = (name: string): Exchange => ({
  message: `question ${name}`,
  reply: { text: `answer ${name} [1]`, mode: 'extractive', citations: [CITATION] },
});

const lockWaitsOf = async (database: TestDatabase) =>
  (
    await database.query<{ count: number }>(
      `SELECT count(*)::int AS count FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
    )
  ).rows[0]!.count;

describe('ConversationRepository', () => {
  let database: TestDatabase;
  let conversations: ConversationRepository;
  let id: string;
  beforeAll(async () => {
    database = await createTestDatabase({ entities: ANSWERS_ENTITIES });
    conversations = new ConversationRepository(database.unitOfWork, loadConfig({ CHAT_HISTORY_DAYS: '7' }).answers);
  });
  beforeEach(async () => {
    await database.query('TRUNCATE conversations CASCADE');
    id = randomUUID();
  });
  afterAll(() => database.close());

  const contentsOf = async (of = id, limit?: number) =>
    (await conversations.find(of, limit))?.messages.map(({ content }) => content) ?? null;
  const age = (of: string, days: number) =>
    database.query(`UPDATE conversations SET updated_at = now() - make_interval(days => $2::int, secs => -60) WHERE id = $1`, [of, days]);

  it('has the tables that the migrations make', async () => {
    const { upQueries } = await database.dataSource.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });

  it('keeps exchanges in their order, with mode and citations', async () => {
    expect(await conversations.find(id)).toBeNull();
    await conversations.append(id, exchangeOf('a'), false);
    await conversations.append(id, exchangeOf('b'), true);
    const found = await conversations.find(id);
    expect(found).toMatchObject({
      id,
      messages: [
        { role: 'user', content: 'question a', mode: null, citations: [] },
        { role: 'assistant', content: 'answer a [1]', mode: 'extractive', citations: [CITATION] },
        { role: 'user', content: 'question b' },
        { role: 'assistant', content: 'answer b [1]' },
      ],
    });
    expect(found!.updated_at > found!.created_at).toBe(true);
    expect(await contentsOf(id, 3)).toEqual(['answer a [1]', 'question b', 'answer b [1]']);
  });

  it('never tears an exchange apart, and loses none, when many come at the same time', async () => {
    await Promise.all(Array.from({ length: 30 }, (_, n) => conversations.append(id, exchangeOf(String(n)), false)));
    const contents = (await contentsOf())!;
    expect(contents).toHaveLength(60);
    for (let n = 0; n < 60; n += 2) expect(contents[n + 1]).toBe(`${contents[n]!.replace('question', 'answer')} [1]`);
    const { rows } = await database.query('SELECT ordinal FROM conversation_messages ORDER BY ordinal');
    expect(rows.map(({ ordinal }) => ordinal)).toEqual(Array.from({ length: 60 }, (_, n) => n));
  });

  it('keeps the latest 200 messages', async () => {
    for (let n = 0; n < 103; n++) await conversations.append(id, exchangeOf(String(n)), n > 0);
    const contents = (await contentsOf())!;
    expect([contents.length, contents[0], contents.at(-1)]).toEqual([200, 'question 3', 'answer 102 [1]']);
    expect((await database.query('SELECT count(*)::int AS count FROM conversation_messages')).rows).toEqual([{ count: 200 }]);
  });

  it('forgets a conversation so long after its last message, and begins anew under its id', async () => {
    await conversations.append(id, exchangeOf('a'), false);
    await age(id, 7);
    expect(await contentsOf()).toEqual(['question a', 'answer a [1]']);
    await age(id, 8);
    expect(await contentsOf()).toBeNull();
    // More than one write removes, and all of them are older.
    await database.query(
      `INSERT INTO conversations (id, message_count, updated_at) SELECT gen_random_uuid(), 0, now() - interval '9 days' FROM generate_series(1, 30)`,
    );
    await conversations.append(id, exchangeOf('b'), false);
    expect(await contentsOf()).toEqual(['question b', 'answer b [1]']);
  });

  it('removes what has expired a little at each write, with its messages', async () => {
    const old = Array.from({ length: 25 }, () => randomUUID());
    for (const one of old) await conversations.append(one, exchangeOf('old'), false);
    await database.query(`UPDATE conversations SET updated_at = now() - interval '8 days'`);
    await conversations.append(id, exchangeOf('a'), false);
    expect((await database.query('SELECT count(*)::int AS count FROM conversations')).rows).toEqual([{ count: 6 }]);
    await conversations.append(id, exchangeOf('b'), true);
    expect((await database.query('SELECT count(*)::int AS count FROM conversation_messages')).rows).toEqual([{ count: 4 }]);
  });

  it('reads no more of the conversations than it removes', async () => {
    await database.query(
      `INSERT INTO conversations (id, message_count, updated_at)
       SELECT gen_random_uuid(), 0, now() - make_interval(secs => n * 600) FROM generate_series(1, 5000) AS n`,
    );
    await database.query('ANALYZE conversations');
    const plans: string[] = [];
    const { historyDays } = loadConfig({ CHAT_HISTORY_DAYS: '7' }).answers;
    const explaining: Pick<UnitOfWork, 'query' | 'run'> = {
      query: (sql, parameters) => database.unitOfWork.query(sql, parameters),
      run: (work) =>
        database.unitOfWork.run((session) =>
          work({
            ...session,
            query: async (sql, parameters) => {
              if (!/^\s*INSERT/.test(sql)) {
                const { rows } = await session.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${sql}`, parameters);
                plans.push(rows.map((row) => row['QUERY PLAN']).join('\n'));
              }
              return session.query(sql, parameters);
            },
          }),
        ),
    };
    await new ConversationRepository(explaining as UnitOfWork, { historyDays } as AnswersConfig).append(id, exchangeOf('a'), false);
    expect(plans).toHaveLength(2);
    for (const plan of plans) expect(plan).not.toMatch(/Seq Scan/);
  });

  it('makes nobody wait for a conversation but its own, however many have expired', async () => {
    const old = Array.from({ length: 30 }, () => randomUUID());
    for (const one of old) await conversations.append(one, exchangeOf('old'), false);
    await database.query(`UPDATE conversations SET updated_at = now() - interval '8 days'`);
    const [held, other] = [old[0]!, old[1]!];
    let waiting: Promise<void> | undefined;
    await database.unitOfWork.run(async (session) => {
      await session.query('SELECT 1 FROM conversations WHERE id = $1 FOR UPDATE', [held]);
      waiting = conversations.append(held, exchangeOf('a'), true);
      await waitFor(async () => (await lockWaitsOf(database)) === 1, { what: 'the one waits for its own conversation' });
      // The one that waits must hold none of the expired ones, or two of them could wait for each other.
      await conversations.append(other, exchangeOf('b'), false);
    });
    await waiting;
    expect(await contentsOf(other)).toEqual(['question b', 'answer b [1]']);
    expect(await contentsOf(held)).toBeNull();
  });

  it('deletes with all messages, once, and what has expired is not there to be deleted', async () => {
    await conversations.append(id, exchangeOf('a'), false);
    expect([await conversations.delete(id), await conversations.delete(id)]).toEqual([true, false]);
    expect((await database.query('SELECT 1 FROM conversation_messages')).rows).toEqual([]);
    await conversations.append(id, exchangeOf('a'), false);
    await age(id, 8);
    expect(await conversations.delete(id)).toBe(false);
    expect((await database.query('SELECT 1 FROM conversations')).rows).toEqual([]);
  });

  it('does not bring back a conversation that was deleted while its reply was made', async () => {
    await conversations.append(id, exchangeOf('a'), false);
    await conversations.delete(id);
    await conversations.append(id, exchangeOf('b'), true);
    expect(await contentsOf()).toBeNull();
  });
});
