import { migrationSummary } from './migration-summary.js';

describe('migrationSummary', () => {
  it('has the five lines of the scripts before', () => {
    expect(migrationSummary({ total: 150, succeeded: 148, failed: 2, elapsedMs: 8_320 })).toBe(
      'Total: 150\nSuccessfully migrated: 148\nFailed: 2\nTotal time: 8.32 s\nAverage: 55.47 ms per row',
    );
  });

  it('has no average of nothing', () => {
    expect(migrationSummary({ total: 0, succeeded: 0, failed: 0, elapsedMs: 5 })).toContain('Average: -');
  });
});
