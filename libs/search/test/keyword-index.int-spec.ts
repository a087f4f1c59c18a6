import { KeywordIndex, type KeywordTable } from '#search';
import { createTestDatabase, FixedClock, SeededRandom, type TestDatabase } from '#testing';
import fc from 'fast-check';

const TABLE: KeywordTable = { table: 'projects', column: 'search_text', configurations: ['german', 'english'] };

describe('KeywordIndex', () => {
  let database: TestDatabase;
  let clock: FixedClock;
  let index: KeywordIndex;
  let statements: { readonly sql: string; readonly parameters: readonly unknown[] }[];

  beforeAll(async () => {
    database = await createTestDatabase();
    // What ANALYZE has found out is a part of what is tested here: only when a test says so.
    await database.query('ALTER TABLE projects SET (autovacuum_enabled = false)');
  });
  afterAll(() => database.close());

  beforeEach(() => {
    clock = new FixedClock();
    statements = [];
    const counted = {
      query: (sql: string, parameters: readonly unknown[] = []) => {
        statements.push({ sql, parameters });
        return database.unitOfWork.query(sql, parameters);
      },
    } as typeof database.unitOfWork;
    index = new KeywordIndex(counted, clock);
  });

  /** Rows as name, description and region. */
  async function seed(...rows: [name: string, description: string, region?: string][]): Promise<void> {
    await database.query(
      `INSERT INTO projects (name, description, region) SELECT n, d, r FROM unnest($1::text[], $2::text[], $3::text[]) AS rows (n, d, r)`,
      [rows.map(([name]) => name), rows.map(([, description]) => description), rows.map(([, , region]) => region ?? null)],
    );
  }

  async function names(text: string, region: string | null = null, limit = 10): Promise<string[]> {
    const [hits] = await find([text], region, limit);
    const { rows } = await database.query<{ id: string; name: string }>('SELECT id, name FROM projects');
    const nameOf = new Map(rows.map(({ id, name }) => [id, name]));
    return hits!.map(({ id }) => nameOf.get(id)!);
  }

  const find = (texts: string[], region: string | null = null, limit = 10) =>
    index.find(TABLE, {
      texts,
      limit,
      conditionsOf: (parameters) => (region === null ? [] : [`region = $${parameters.push(region)}::text`]),
    });

  describe('in a few rows', () => {
    beforeEach(() => database.query('TRUNCATE projects'));

    describe('words', () => {
      beforeEach(() =>
        seed(
          ['Küche', 'Die Küche mit Kochinsel liegt an der Straße und hat weiße Türen.'],
          ['Treppen', 'Eine gewendelte Treppe aus Eiche, die in den Keller führt.'],
          ['Kitchens', 'Two fitted kitchens in oak for the house, with drawers and doors.'],
          ['Link', "See example.com/oak?a=1&b=2 and o'clock, back\\slash for the plan."],
        ),
      );

      it.each([
        ['Küchen', ['Küche']],
        ['KÜCHE', ['Küche']],
        ['weißer Tür', ['Küche']],
        ['Strassen', ['Küche']],
        ['Eichentreppe, gewendelt', ['Treppen']],
        ['kitchen', ['Kitchens']],
        ['drawer', ['Kitchens']],
        ['example.com/oak?a=1&b=2', ['Link']],
        ["o'clock", ['Link']],
        ['back\\slash', ['Link']],
      ])('%s', async (text, expected) => {
        expect(await names(text)).toEqual(expected);
      });

      it.each([[''], [' \n\t'], ['die der und mit'], ['the and of with'], ['die the'], ['!!! ... ???'], ['&|!()<->:*\'"\\'], ['zebra']])(
        'nothing by %j',
        async (text) => {
          expect(await names(text)).toEqual([]);
        },
      );

      it.each([
        [`oak & !kitchens`],
        [`'kitchens' | (oak`],
        [`kitchens:* <-> oak:A`],
        [`kitchens'); DROP TABLE projects; --`],
        [`$1 kitchens $2 {} %s \\'`],
        [`"kitchens" -oak OR`],
      ])('operators, quotes and statements are no more than words: %j', async (text) => {
        expect(await names(text)).toContain('Kitchens');
      });

      it('a stop word of the text in one language is not looked for in another', async () => {
        await seed(['Würfel', 'Ein Würfel'], ['Die', 'A die was cast, and the war and the man are well known in the house of dice']);
        expect(await names('die Treppe, die im Keller war')).toEqual(['Treppen']);
        expect(await names('die')).toEqual([]);
        expect(await names('the story of a war')).toEqual(['Die']);
      });

      it('any text at all', async () => {
        await fc.assert(
          fc.asyncProperty(fc.array(fc.string({ unit: 'binary', maxLength: 200 }), { minLength: 1, maxLength: 5 }), async (texts) => {
            // What the edge refuses before: NUL and lone surrogates.
            const storable = texts.map((text) => text.replaceAll('\0', ' ').toWellFormed());
            const lists = await find([...storable, 'kitchens']);
            expect(lists).toHaveLength(storable.length + 1);
            expect(lists.at(-1)).toHaveLength(1);
          }),
          { numRuns: 100 },
        );
      });

      it('a text of 8,000 characters and one of a thousand different words', async () => {
        expect(await names('kitchens '.repeat(888))).toEqual(['Kitchens']);
        expect(await names('ä'.repeat(8_000))).toEqual([]);
        const many = Array.from({ length: 1_000 }, (_, n) => `q${n.toString(36)}`).join(' ');
        expect(await names(`${many} gewendelte`)).toEqual(['Treppen']);
      });
    });

    it('answers several texts at once, each in its place, in two statements, the statistics and a count', async () => {
      await seed(['a', 'oak stairs'], ['b', 'larch roof']);
      const lists = await find(['roof', 'the', 'stairs or roof', 'oak']);
      expect(lists.map((hits) => hits.length)).toEqual([1, 0, 2, 1]);
      expect(lists[0]![0]!.id).not.toBe(lists[3]![0]!.id);
      expect(statements).toHaveLength(4);
      await find(['oak']);
      expect(statements).toHaveLength(7);
      await find(['!!!']);
      expect(statements).toHaveLength(8);
    });

    it('prefers the name to the text, more words to fewer, short rows to long ones, and puts equal ones in the order of their ids', async () => {
      await seed(
        ['Roof', 'with larch shingles'],
        ['Shed', 'roof with larch shingles'],
        ['Barn', 'gate and roof'],
        ['Hut', 'gate and roof'],
      );
      expect((await names('roof shingles')).slice(0, 2)).toEqual(['Roof', 'Shed']);
      const [hits] = await find(['gate']);
      expect(hits!.map(({ id }) => id)).toEqual(hits!.map(({ id }) => id).sort());
      expect(hits![0]!.score).toBe(hits![1]!.score);
      expect(hits![0]!.score).toBeGreaterThan(0);
      expect(await names('roof', null, 1)).toEqual(['Roof']);
      await seed(['Long', 'a gate in a wall of bricks'], ['Short', 'a gate of iron']);
      const gates = await names('gate');
      expect(gates.indexOf('Short')).toBeLessThan(gates.indexOf('Long'));
    });

    it('looks at rows as they are now that meet the conditions', async () => {
      await seed(['a', 'oak stairs', 'Tyrol'], ['b', 'oak roof', 'Bavaria']);
      expect(await names('oak', 'Tyrol')).toEqual(['a']);
      expect(await names('oak', 'Vienna')).toEqual([]);
      await database.query(`UPDATE projects SET description = 'larch', region = 'Tyrol' WHERE name = 'b'`);
      expect((await names('oak larch')).sort()).toEqual(['a', 'b']);
      expect(await names('roof')).toEqual([]);
    });

    it('reads the statistics once a minute, behind the search', async () => {
      await seed(['a', 'oak'], ['b', 'larch']);
      await names('oak');
      const reads = () => statements.filter(({ sql }) => sql.includes('pg_stats')).length;
      expect(reads()).toBe(1);
      clock.advance(59_999);
      await names('oak');
      expect(reads()).toBe(1);
      clock.advance(1);
      await names('oak');
      await names('oak');
      expect(reads()).toBe(2);
    });

    it('counts words itself while the table was never analysed: a rare one is worth more than two that most rows have', async () => {
      await seed(...Array.from({ length: 9 }, (_, n): [string, string] => [`row ${n}`, 'oak kitchen island']), ['rare', 'lamello biscuit']);
      expect((await names('oak kitchen lamello'))[0]).toBe('rare');
    });
  });

  // Last: from here on the table has statistics.
  describe('in many rows', () => {
    const COMMON = ['oak', 'kitchen', 'wall', 'door', 'floor', 'shelf'];
    const random = new SeededRandom(11);

    /** Each of the common words in about half of the rows, `rare<n>` in ten of them. */
    beforeAll(async () => {
      await database.query('TRUNCATE projects');
      const rows = Array.from({ length: 3_000 }, (_, n): [string, string, string] => [
        `row ${n}`,
        `${COMMON.filter(() => random.chance(0.5)).join(' ')} rare${n % 300} filler${n}`,
        n % 100 === 0 ? 'Tyrol' : 'Bavaria',
      ]);
      await seed(...rows, ['all', `${COMMON.join(' ')} rare7 rare8`, 'Bavaria']);
      await database.query('ANALYZE projects');
    });

    it('asks for words and rows only, of a table that was analysed', async () => {
      await find(['oak']);
      statements.length = 0;
      await find(['oak', 'rare1', 'nothing']);
      expect(statements).toHaveLength(2);
    });

    it('a rare word counts more than several common ones', async () => {
      const found = await names('rare42 oak', null, 20);
      expect(found.slice(0, 10).map((name) => Number(name.slice(4)) % 300)).toEqual(Array.from({ length: 10 }, () => 42));
      expect(found.length).toBeGreaterThan(10);
    });

    it('finds a row that has all of the words first, although only so many are ranked', async () => {
      for (const text of [`${COMMON.join(' ')} rare7`, 'rare7 rare8', `rare8 rare7 rare9 rare10 ${COMMON.join(' ')}`])
        expect((await names(text))[0]).toBe('all');
      const [hits] = await find([COMMON.join(' ')]);
      const { rows } = await database.query<{ description: string }>('SELECT description FROM projects WHERE id = $1', [hits![0]!.id]);
      expect(rows[0]!.description).toContain(COMMON.join(' '));
    });

    it('ranks as a look at every row would, where few enough rows have the rare words', async () => {
      for (const text of ['rare1 rare2 rare3', 'rare5 oak kitchen', 'rare9 rare10 rare11 rare12 floor shelf']) {
        const [hits] = await find([text], null, 20);
        const everyRow = await rankEveryRow(statements.at(-1)!);
        expect(everyRow.length).toBeGreaterThan(20);
        expect(hits!.map(({ id }) => id)).toEqual(everyRow.slice(0, 20));
      }
    });

    /** The same statement, with every row that has any of the words for a candidate. */
    async function rankEveryRow({ sql, parameters }: (typeof statements)[number]): Promise<string[]> {
      expect(sql).toContain('LIMIT 500');
      const [, , , numbers, ...classes] = parameters as [number, number[], string[], number[], ...(string | null)[][]];
      const anyWord = classes
        .flat()
        .filter((query) => typeof query === 'string')
        .join(' | ');
      const { rows } = await database.query<{ id: string }>(sql.replace('LIMIT 500', ''), [10_000, [1], [anyWord], numbers, ...classes]);
      return rows.map(({ id }) => id);
    }

    it('finds what a filter leaves of a common word', async () => {
      const { rows } = await database.query(
        `SELECT 1 FROM projects WHERE region = 'Tyrol' AND (description LIKE '%shelf%' OR description LIKE '%oak%')`,
      );
      expect(await names('oak shelf', 'Tyrol', 100)).toHaveLength(rows.length);
    });
  });
});
