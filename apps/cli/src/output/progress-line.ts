/** Without a terminal a line is printed at most this often: logs should stay short. */
const PLAIN_EVERY_MS = 5_000;

/** Where progress goes; standard error, so that what a program reads from standard output stays clean. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** Shows how far something is: one line that is written over on a terminal, a plain line now and then elsewhere. */
export class ProgressLine {
  private shown = '';
  private shownAtMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly output: ProgressOutput,
    private readonly monotonicMs: () => number = () => performance.now(),
  ) {}

  show(text: string): void {
    if (text === this.shown) return;
    if (this.output.isTTY === true) {
      this.output.write(`\r${text.padEnd(this.shown.length)}`);
    } else {
      if (this.monotonicMs() - this.shownAtMs < PLAIN_EVERY_MS) return;
      this.output.write(`${text}\n`);
    }
    this.shown = text;
    this.shownAtMs = this.monotonicMs();
  }

  /** Leaves the line free for what comes next. */
  end(): void {
    if (this.output.isTTY === true && this.shown !== '') this.output.write(`\r${' '.repeat(this.shown.length)}\r`);
    this.shown = '';
  }
}
