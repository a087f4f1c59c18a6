import type { Logger } from 'typeorm';

/** TypeORM prints some lines to the console whatever its settings say; the output of the service is structured, and its errors are reported by whoever catches them. */
export class SilentTypeOrmLogger implements Logger {
  logQuery(): void {}
  logQueryError(): void {}
  logQuerySlow(): void {}
  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}
