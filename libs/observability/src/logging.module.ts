import { Global, Module } from '@nestjs/common';
import { LoggerModule } from 'nestjs-pino';
import { LogLevels } from './log-levels.js';
import { LOG_OPTIONS } from './log-options.js';

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
      pinoHttp: LOG_OPTIONS,
    }),
  ],
  providers: [LogLevels],
  exports: [LogLevels],
})
export class LoggingModule {}
