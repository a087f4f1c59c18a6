/** One figure, and what it should be. */
export interface GuardFigure {
  readonly what: string;
  readonly measured: string;
  readonly goal: string;
  /** `null` = a figure that is only there for comparison. */
  readonly isMet: boolean | null;
}

export const milliseconds = (value: number): string => `${value.toFixed(2)} ms`;

/** A table with the goal beside each figure. */
export function renderFigures(figures: readonly GuardFigure[]): string {
  const lines = figures.map(({ what, measured, goal, isMet }) => [what, measured, goal, isMet === null ? '' : isMet ? 'met' : 'NOT MET']);
  const widths = [0, 1, 2].map((column) => Math.max(...lines.map((line) => line[column]!.length)));
  return lines
    .map((line) =>
      line
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}
