import fc from 'fast-check';
import { decodeCursor, encodeCursor } from './project-list.cursor.js';
import type { ProjectListQuery, ProjectSortColumn } from './project-list.js';

type CursorQuery = Pick<ProjectListQuery, 'sort' | 'filter' | 'externalId'>;

const ID = '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11';
const SEED = 20261121;
const query = (column: ProjectSortColumn, overrides: Partial<CursorQuery> = {}): CursorQuery => ({
  sort: { column, isDescending: true },
  filter: [],
  externalId: null,
  ...overrides,
});
/** A cursor of this very query with other contents. */
const forge = (of: CursorQuery, value: unknown, id: unknown = ID) => {
  const [fingerprint] = JSON.parse(Buffer.from(encodeCursor(of, { value: null, id: ID }), 'base64url').toString()) as [string];
  return Buffer.from(JSON.stringify([fingerprint, value, id])).toString('base64url');
};

describe('list cursors', () => {
  it.each([
    ['created_at', '2026-11-21T08:00:00.123456Z'],
    ['updated_at', '2024-02-29T23:59:59.999999Z'],
    ['final_price', '15000.5'],
    ['final_price', null],
    ['name', 'Küche "Eiche" 🪵'],
  ] as const)('round-trips a position in %s: %s', (column, value) => {
    const cursor = encodeCursor(query(column), { value, id: ID });
    expect(cursor).toMatch(/^[A-Za-z0-9_-]+$/);
    expect(decodeCursor(cursor, query(column))).toEqual({ value, id: ID });
  });

  it('belongs to its sort, direction, filters and external id', () => {
    const own = query('name', { filter: [{ kind: 'any', field: 'region', values: ['Bavaria', 'Tyrol'] }] });
    const cursor = encodeCursor(own, { value: 'a', id: ID });
    const others: CursorQuery[] = [
      query('name'),
      { ...own, sort: { column: 'name', isDescending: false } },
      { ...own, sort: { column: 'created_at', isDescending: true } },
      { ...own, externalId: 'x' },
      { ...own, filter: [{ kind: 'any', field: 'region', values: ['Bavaria'] }] },
      { ...own, filter: [{ kind: 'any', field: 'wood_type', values: ['Bavaria', 'Tyrol'] }] },
    ];
    for (const other of others) expect(decodeCursor(cursor, other)).toBeNull();
  });

  it('does not depend on the order in which values were given', () => {
    const cursor = encodeCursor(query('name', { filter: [{ kind: 'any', field: 'region', values: ['a', 'b'] }] }), { value: 'a', id: ID });
    expect(decodeCursor(cursor, query('name', { filter: [{ kind: 'any', field: 'region', values: ['b', 'a'] }] }))).not.toBeNull();
  });

  it.each([
    ['created_at', '2026-02-30T08:00:00.123456Z'],
    ['created_at', '2026-13-01T08:00:00.123456Z'],
    ['created_at', '2026-11-21T24:00:00.000000Z'],
    ['created_at', '0000-01-01T00:00:00.000000Z'],
    ['created_at', 'infinity'],
    ['created_at', null],
    ['created_at', 1],
    ['final_price', 'NaN'],
    ['final_price', '1e99999'],
    ['final_price', '1; DROP TABLE projects'],
    ['name', 'a\0b'],
    ['name', null],
    ['name', ['a']],
  ] as const)('refuses a forged position in %s that PostgreSQL could not read: %p', (column, value) => {
    expect(decodeCursor(forge(query(column), value), query(column))).toBeNull();
  });

  it.each(['not-a-uuid', 1, null, `${ID}'`])('refuses the forged id %p', (id) => {
    expect(decodeCursor(forge(query('name'), 'a', id), query('name'))).toBeNull();
  });

  it(`never throws, whatever the text (seed ${SEED})`, () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.base64String(),
          fc.json().map((text) => Buffer.from(text).toString('base64url')),
        ),
        (text) => {
          expect(decodeCursor(text, query('name'))).toBeNull();
        },
      ),
      { seed: SEED, numRuns: 500 },
    );
  });
});
