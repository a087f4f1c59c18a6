import { LogConfig } from '#config';
import { LoggerModule } from 'nestjs-pino';

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
 * One JSON object per line on stdout, for every `Logger` of the house.
 *
 * `forRoutes: []`: no middleware per request. It would cost each search about as much as its routing; failures are logged by the problem filter.
 */
export const LoggingModule = LoggerModule.forRootAsync({
  inject: [LogConfig],
  useFactory: (config: LogConfig) => ({
    forRoutes: [],
    pinoHttp: {
      level: config.level,
      autoLogging: false,
      redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
      formatters: { level: (label: string) => ({ level: label }) },
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
    },
  }),
});
