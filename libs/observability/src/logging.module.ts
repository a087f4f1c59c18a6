import { Global, Module } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import { LogLevels } from './log-levels.js';

/** Paths in logged objects that can carry a secret; pino replaces their values. */
const REDACTED_PATHS = [
  'authorization',
  'headers.authorization',
  'headers["x-api-key"]',
  'headers["api-key"]',
  'password',
  'apiKey',
  'databaseUrl',
  'url.password',
];

/**
 * One JSON object per line on stdout, for every `Logger` of the house; {@link LogLevels} decides which lines.
 *
 * `forRoutes: []`: no middleware per request. It would cost each search about as much as its routing; failures are logged by the problem filter.
 */
@Global()
@Module({
  imports: [
    LoggerModule.forRoot({
      forRoutes: [],
      pinoHttp: {
        // Everything: HouseLogger has left out by then what is not wanted, which pino could not tell apart by component.
        level: 'trace',
        autoLogging: false,
        redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
        formatters: { level: (label: string) => ({ level: label }) },
        timestamp: () => `,"time":"${new Date().toISOString()}"`,
      },
    }),
  ],
  providers: [LogLevels],
  exports: [LogLevels],
})
export class LoggingModule {}
