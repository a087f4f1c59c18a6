import { startupErrorText } from '#kernel';
import { ServiceError } from '../service/service-error.js';
import { UsageError } from '../service/usage-error.js';
import { EXIT } from './exit-codes.js';

/** What commander throws has been printed by then: help that was asked for, or what is wrong with the command line. */
function isCommanderError(error: Error): error is Error & { exitCode: number; code: string } {
  return error.name === 'CommanderError' && 'exitCode' in error && typeof error.exitCode === 'number';
}

/** Tells a person, or with `--json` a program, why a command has failed: on standard error, so that standard output holds results alone. */
export class FailureOutput {
  constructor(
    private readonly isJson: boolean,
    private readonly write: (text: string) => void = (text) => void process.stderr.write(text),
  ) {}

  /** What commander says on standard error by itself; with `--json` its words come as the message instead. */
  get commanderOutput(): { readonly writeErr: (text: string) => void } {
    return { writeErr: (text) => (this.isJson ? undefined : this.write(text)) };
  }

  /** Prints the failure. @returns the exit code */
  print(error: Error): number {
    if (isCommanderError(error)) return this.commander(error);
    const [exitCode, code] =
      error instanceof ServiceError
        ? [error.exitCode, error.code]
        : [error instanceof UsageError ? EXIT.usage : EXIT.failed, error instanceof UsageError ? 'cli.usage' : null];
    if (this.isJson) {
      const advice = error instanceof ServiceError && error.advice !== null ? { advice: error.advice } : {};
      this.json({ code, message: error.message, ...advice, exit_code: exitCode });
    } else if (error instanceof ServiceError || error instanceof UsageError) {
      this.write(`${error instanceof ServiceError ? error.text : error.message}\n`);
    } else {
      this.write(`${startupErrorText(error)}\n`);
    }
    return exitCode;
  }

  private commander(error: Error & { exitCode: number; code: string }): number {
    const exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (this.isJson && exitCode !== EXIT.done) {
      const message = error.code === 'commander.help' ? 'Say which command; --help lists them' : error.message.replace(/^error: /, '');
      this.json({ code: 'cli.usage', message, exit_code: exitCode });
    }
    return exitCode;
  }

  private json(error: object): void {
    this.write(`${JSON.stringify({ error }, null, 2)}\n`);
  }
}
