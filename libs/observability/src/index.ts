export { HouseLogger } from './house-logger.js';
export { LogLevels } from './log-levels.js';
export { LoggingModule } from './logging.module.js';
export { runProgram, stopOnSignals, useHouseLogger, type Closeable } from './process-lifecycle.js';
export { RuntimeModule } from './runtime.module.js';
export { inSpan, keepSpans, openSpan, type OpenSpan, type SpanAttributes } from './tracing/spans.js';
export { startTracing } from './tracing/start-tracing.js';
