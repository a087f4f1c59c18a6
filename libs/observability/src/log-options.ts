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

/** How pino writes: one JSON object on one line, secrets replaced, levels by name, times for people. */
export const LOG_OPTIONS = {
  // Everything: HouseLogger has left out by then what is not wanted, which pino could not tell apart by component.
  level: 'trace',
  autoLogging: false,
  redact: { paths: REDACTED_PATHS, censor: '[redacted]' },
  formatters: { level: (label: string) => ({ level: label }) },
  timestamp: () => `,"time":"${new Date().toISOString()}"`,
};
