export { RuntimeModule } from './runtime.module.js';
export { LoggingModule } from './logging.module.js';
export { Logger as PinoNestLogger } from 'nestjs-pino';
