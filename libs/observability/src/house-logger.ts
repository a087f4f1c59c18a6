import type { LoggerService } from '@nestjs/common';
import type { LogLevel } from '#kernel';
import { Logger } from 'nestjs-pino';
import type { LogLevels } from './log-levels.js';

/** What Nest says while it wires modules and routes: dozens of lines at every start, of use only to whoever debugs the wiring. */
const WIRING_CONTEXTS: ReadonlySet<unknown> = new Set([
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestFactory',
  'NestApplication',
]);

const METHODS = { fatal: 'fatal', error: 'error', warn: 'warn', info: 'log', debug: 'debug', trace: 'verbose' } as const;

/** The logger of an application: pino, with a level for each component, and the framework's wiring at level debug. */
export class HouseLogger implements LoggerService {
  constructor(
    private readonly pino: Logger,
    private readonly levels: LogLevels,
  ) {}

  log(message: unknown, ...parameters: unknown[]): void {
    this.write(WIRING_CONTEXTS.has(parameters.at(-1)) ? 'debug' : 'info', message, parameters);
  }

  error(message: unknown, ...parameters: unknown[]): void {
    this.write('error', message, parameters);
  }

  warn(message: unknown, ...parameters: unknown[]): void {
    this.write('warn', message, parameters);
  }

  debug(message: unknown, ...parameters: unknown[]): void {
    this.write('debug', message, parameters);
  }

  verbose(message: unknown, ...parameters: unknown[]): void {
    this.write('trace', message, parameters);
  }

  fatal(message: unknown, ...parameters: unknown[]): void {
    this.write('fatal', message, parameters);
  }

  /** Nest puts the name of the logger last. */
  private write(level: Exclude<LogLevel, 'silent'>, message: unknown, parameters: unknown[]): void {
    if (this.levels.allows(level, parameters.at(-1))) this.pino[METHODS[level]](message, ...parameters);
  }
}
