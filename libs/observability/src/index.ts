export { LoggingModule } from './logging.module.js';
export { printStartupError, runProgram, stopOnSignals, type Closeable } from './process-lifecycle.js';
export { RuntimeModule } from './runtime.module.js';
export { Logger as PinoNestLogger } from 'nestjs-pino';
