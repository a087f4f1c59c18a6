/** Largest body. A batch of 50 texts of 8,000 letters (2 bytes each in UTF-8) fits. */
export const BODY_LIMIT_BYTES = 1_048_576;
/** Longest path parameter the router passes on; longer than any id, so that the route can say what is wrong with it. */
export const PATH_PARAMETER_LIMIT = 1_024;

/** Slow clients are cut off: this long for the headers, then this long for the whole body. */
export const HEADERS_TIMEOUT_MS = 30_000;
export const BODY_TIMEOUT_MS = 30_000;
/** A file may take its time, but not stand still for so long; longer than a statement of the database may take that stores a piece of it. */
export const BODY_IDLE_TIMEOUT_MS = 60_000;
/** Above the usual 60 s of load balancers, so that they close first and never meet a socket that is just being closed. */
export const KEEP_ALIVE_TIMEOUT_MS = 65_000;
