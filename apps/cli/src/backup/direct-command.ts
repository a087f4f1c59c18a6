import { DomainError } from '#kernel';
import { CommandRunner, Option } from 'nest-commander';
import { ProgressLine } from '../output/progress-line.js';
import { ServiceError } from '../service/service-error.js';

/** Sentences for people. By their names, because their libs are loaded when they are needed: the ORM takes longer to load than most commands to run. */
const PLAIN_ERRORS: ReadonlySet<string> = new Set(['BackupError', 'ErasureLogError', 'FaultDrillError']);

export interface DirectOptions {
  readonly json?: boolean;
}

/** A command that works on the database itself, and so without a service. */
export abstract class DirectCommand extends CommandRunner {
  @Option({ flags: '--json', description: 'print the result as JSON' })
  parseJson(): boolean {
    return true;
  }

  protected print(options: DirectOptions, json: unknown, text: () => string): void {
    console.log(options.json === true ? JSON.stringify(json, null, 2) : text());
  }

  /** Runs `work` with a place for its progress, which is shown on a terminal only. @throws ServiceError for whatever a person can understand and mend */
  protected async directly<T>(work: (show: (text: string) => void) => Promise<T>): Promise<T> {
    const line = new ProgressLine(process.stderr);
    try {
      return await work((text) => {
        if (process.stderr.isTTY) line.show(text);
      });
    } catch (error) {
      if (error instanceof Error && PLAIN_ERRORS.has(error.name)) throw new ServiceError(error.message);
      if (error instanceof DomainError) {
        const cause = error.cause instanceof Error ? ` (${error.cause.message})` : '';
        throw new ServiceError(`${error.message}${cause} [${error.code}]`, error.code, { isPassing: error.definition.retryable });
      }
      throw error;
    } finally {
      line.end();
    }
  }
}
