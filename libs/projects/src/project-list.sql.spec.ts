import { listStatementOf } from './project-list.sql.js';
import type { ProjectListQuery } from './project-list.js';

const QUERY: ProjectListQuery = {
  sort: { column: 'created_at', isDescending: true },
  filter: [],
  externalId: null,
  limit: 20,
  after: null,
};
const ID = '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11';

describe('listStatementOf', () => {
  it('walks one index for a column without nulls', () => {
    const { sql, parameters } = listStatementOf({ ...QUERY, after: { value: '2026-11-21T08:00:00.123456Z', id: ID } }, 'id');
    expect(sql).toBe(
      'SELECT id FROM projects WHERE (created_at, id) < ($2::timestamptz, $3::uuid) ORDER BY created_at DESC, id DESC LIMIT $1::int',
    );
    expect(parameters).toEqual([21, '2026-11-21T08:00:00.123456Z', ID]);
  });

  it('reads rows with and without a price as two branches', () => {
    const { sql } = listStatementOf({ ...QUERY, sort: { column: 'final_price', isDescending: false }, externalId: 'x' }, 'id');
    expect(sql.match(/LIMIT/g)).toHaveLength(3);
    expect(sql.match(/external_id = \$1/g)).toHaveLength(2);
    expect(sql).toContain('final_price IS NOT NULL');
    expect(sql).toContain('ORDER BY final_price ASC NULLS LAST, id ASC');
  });

  it('reads only rows without a price once they have begun', () => {
    const { sql } = listStatementOf(
      { ...QUERY, sort: { column: 'final_price', isDescending: true }, after: { value: null, id: ID } },
      'id',
    );
    expect(sql).toBe(
      'SELECT id FROM projects WHERE final_price IS NULL AND id < $2::uuid ORDER BY final_price DESC, id DESC LIMIT $1::int',
    );
  });
});
