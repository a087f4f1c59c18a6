export interface MigrationOutcome {
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly elapsedMs: number;
}

/** The summary that the scripts before Kindred printed, with their words: what reads it need not change. */
export function migrationSummary({ total, succeeded, failed, elapsedMs }: MigrationOutcome): string {
  const dealtWith = succeeded + failed;
  return [
    `Total: ${total}`,
    `Successfully migrated: ${succeeded}`,
    `Failed: ${failed}`,
    `Total time: ${(elapsedMs / 1_000).toFixed(2)} s`,
    `Average: ${dealtWith === 0 ? '-' : `${(elapsedMs / dealtWith).toFixed(2)} ms per row`}`,
  ].join('\n');
}
