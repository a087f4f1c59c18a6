import type { LoggerService } from '@nestjs/common';
import { Logger } from 'nestjs-pino';

/** What Nest says while it wires modules and routes: dozens of lines at every start, of use only to whoever debugs the wiring. */
const WIRING_CONTEXTS: ReadonlySet<unknown> = new Set([
  'InstanceLoader',
  'RoutesResolver',
  'RouterExplorer',
  'NestFactory',
  'NestApplication',
]);

/** The logger of an application: pino, with the framework's wiring at level debug. */
export class HouseLogger implements LoggerService {
  constructor(private readonly pino: Logger) {}

  log(message: unknown, ...parameters: unknown[]): void {
    if (WIRING_CONTEXTS.has(parameters.at(-1))) this.pino.debug(message, ...parameters);
    else this.pino.log(message, ...parameters);
  }

  error(message: unknown, ...parameters: unknown[]): void {
    this.pino.error(message, ...parameters);
  }

  warn(message: unknown, ...parameters: unknown[]): void {
    this.pino.warn(message, ...parameters);
  }

  debug(message: unknown, ...parameters: unknown[]): void {
    this.pino.debug(message, ...parameters);
  }

  verbose(message: unknown, ...parameters: unknown[]): void {
    this.pino.verbose(message, ...parameters);
  }

  fatal(message: unknown, ...parameters: unknown[]): void {
    this.pino.fatal(message, ...parameters);
  }
}
