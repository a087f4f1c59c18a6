/** Largest body. A batch of 50 texts of 8,000 letters (2 bytes each in UTF-8) fits. */
export const BODY_LIMIT_BYTES = 1_048_576;
/** Longest path parameter the router passes on; longer than any id, so that the route can say what is wrong with it. */
export const PATH_PARAMETER_LIMIT = 1_024;

/** Request line and headers together; also Node's own default, which a flag could change. 431 beyond it. */
export const HEADERS_LIMIT_BYTES = 16_384;
/** Of one request; far more than clients and the proxies before us send. Node would drop those beyond 2,000 without a word. */
export const HEADER_COUNT_LIMIT = 100;

/** How long clients may take; who is slower is cut off, so that connections are there for the others. */
export interface ClientTimeouts {
  readonly headersMs: number;
  /** Of the whole body. */
  readonly bodyMs: number;
  /** Of a file: it may take its time, but not stand still for so long. */
  readonly bodyIdleMs: number;
  /** An answer of which nothing is taken for so long is given up. */
  readonly readIdleMs: number;
  /** How often the headers' time is looked at. */
  readonly checkMs: number;
}

export const CLIENT_TIMEOUTS: ClientTimeouts = {
  headersMs: 30_000,
  bodyMs: 30_000,
  // Longer than a statement of the database may take that stores a piece of it.
  bodyIdleMs: 60_000,
  // Longer than streams of events are silent.
  readIdleMs: 60_000,
  checkMs: 5_000,
};
/** Above the usual 60 s of load balancers, so that they close first and never meet a socket that is just being closed. */
export const KEEP_ALIVE_TIMEOUT_MS = 65_000;
