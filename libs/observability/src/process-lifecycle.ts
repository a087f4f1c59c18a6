import { startupErrorText } from '#kernel';
import { Logger, type INestApplicationContext } from '@nestjs/common';
import { Logger as PinoNestLogger } from 'nestjs-pino';
import { HouseLogger } from './house-logger.js';
import { LogLevels } from './log-levels.js';

/** Longest orderly stop; whatever still hangs then is given up (leases expire by themselves). */
const SHUTDOWN_TIMEOUT_MS = 20_000;

/** What has to be closed before the process may end: a Nest application or application context. */
export interface Closeable {
  close(): Promise<void>;
}

/** Makes the application log through pino; it must import LoggingModule. */
export function useHouseLogger(application: INestApplicationContext): void {
  application.useLogger(new HouseLogger(application.get(PinoNestLogger), application.get(LogLevels)));
}

/** Runs a program's start; when it fails, says why on stderr and ends the process with code 1. */
export async function runProgram(start: () => Promise<void>): Promise<void> {
  try {
    await start();
  } catch (error) {
    process.stderr.write(`${startupErrorText(error)}\n`);
    process.exit(1);
  }
}

export interface StopSteps {
  /** Runs before anything is closed. */
  readonly before?: () => Promise<void>;
  /** Runs when everything is closed. */
  readonly after?: () => Promise<void>;
}

/**
 * Ends the process in an orderly way on SIGTERM and SIGINT: runs `before`, closes the application, runs `after`, exits with 0; with 1 when closing
 * failed or all of it took longer than 20 s. A second signal changes nothing.
 */
export function stopOnSignals(application: Closeable, { before, after }: StopSteps = {}): void {
  const logger = new Logger('Process');
  let isStopping = false;
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (isStopping) return;
    isStopping = true;
    logger.log(`${signal}: stopping`);
    setTimeout(() => {
      logger.error(`Not stopped after ${SHUTDOWN_TIMEOUT_MS} ms; giving up`);
      process.exit(1);
    }, SHUTDOWN_TIMEOUT_MS).unref();
    let exitCode = 0;
    try {
      await before?.();
      await application.close();
    } catch (error) {
      logger.error(error);
      exitCode = 1;
    }
    await after?.();
    logger.log('stopped');
    process.exit(exitCode);
  };
  process.on('SIGTERM', (signal) => void stop(signal));
  process.on('SIGINT', (signal) => void stop(signal));
}
