/** How a command ends; scripts may rely on these. docs/cli.md has the same table, and a test compares the two. */
export const EXIT = { done: 0, failed: 1, usage: 2, away: 3, forbidden: 4 } as const;

export const EXIT_CODES: readonly (readonly [code: number, meaning: string])[] = [
  [EXIT.done, 'done, and nothing is wrong'],
  [EXIT.failed, 'failed, refused, or what was looked for is there: differences, refused rows, a failed check'],
  [EXIT.usage, 'the command line is wrong; nothing was done'],
  [EXIT.away, 'nothing answers, or the service is busy: the same may succeed later'],
  [EXIT.forbidden, 'a key is missing, not accepted, or may not do this'],
];
