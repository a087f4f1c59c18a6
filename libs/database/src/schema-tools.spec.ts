import { renderMigration } from './schema-tools.js';

describe('renderMigration', () => {
  it('writes the class of a migration with its statements, quotes and line breaks included', () => {
    const source = renderMigration('AddNotes', 1790000000002, {
      up: [`ALTER TABLE "projects" ADD "notes" text DEFAULT 'none'`],
      down: ['ALTER TABLE "projects"\nDROP COLUMN "notes"'],
    });
    expect(source).toBe(`import type { MigrationInterface, QueryRunner } from 'typeorm';

export class AddNotes1790000000002 implements MigrationInterface {
  readonly name = 'AddNotes1790000000002';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE \\"projects\\" ADD \\"notes\\" text DEFAULT 'none'");
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query("ALTER TABLE \\"projects\\"\\nDROP COLUMN \\"notes\\"");
  }
}
`);
  });
});
