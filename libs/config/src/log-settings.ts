import { isLogComponent, isLogLevel, LOG_COMPONENTS, LOG_LEVELS, type LogComponent, type LogLevel } from '#kernel';

export interface LogSettings {
  /** Of every component that has none of its own. */
  readonly level: LogLevel;
  readonly levels: Readonly<Partial<Record<LogComponent, LogLevel>>>;
}

const RULE = `must be a level (${LOG_LEVELS.join(', ')}), or one and levels of components, as in info,sync=debug; components are ${LOG_COMPONENTS.join(', ')}`;

/** Reads `info`, or `info,sync=debug,vector-store=warn`; returns the rule that it breaks when it does. The level without a name may be missing, and is `info` then. */
export function parseLogSettings(text: string): LogSettings | string {
  let level: LogLevel | null = null;
  const levels: Partial<Record<LogComponent, LogLevel>> = {};
  for (const part of text.split(',')) {
    const [name, value, ...rest] = part.split('=').map((word) => word.trim());
    if (name === undefined || rest.length > 0) return RULE;
    if (value === undefined) {
      if (level !== null || !isLogLevel(name)) return RULE;
      level = name;
    } else {
      if (!isLogComponent(name) || !isLogLevel(value) || levels[name] !== undefined) return RULE;
      levels[name] = value;
    }
  }
  return { level: level ?? 'info', levels };
}
