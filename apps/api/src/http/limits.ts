/** Largest body. A batch of 50 texts of 8,000 letters (2 bytes each in UTF-8) fits. */
export const BODY_LIMIT_BYTES = 1_048_576;
/** Deepest nesting of a JSON body; no request needs more than 4. */
export const JSON_DEPTH_LIMIT = 32;
/** Longest path parameter the router passes on; longer than any id, so that the route can say what is wrong with it. */
export const PATH_PARAMETER_LIMIT = 1_024;
/** Most errors that one problem lists; a body of 1 MiB can hold some 100,000 bad fields. */
export const FIELD_PROBLEMS_LIMIT = 50;
/** Longest echo of a name that the client chose. */
export const POINTER_LIMIT = 200;

/** Whole request, headers and body: slow clients are cut off (Node's own default is 300 s). */
export const REQUEST_TIMEOUT_MS = 30_000;
/** Above the usual 60 s of load balancers, so that they close first and never meet a socket that is just being closed. */
export const KEEP_ALIVE_TIMEOUT_MS = 65_000;
