/**
 * What went wrong, in terms the edge can act on.
 *
 * The HTTP edge maps a kind to a status, the command line maps it to an exit code; nothing below the edges knows either.
 */
export type ErrorKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not-found'
  | 'method-not-allowed'
  | 'not-acceptable'
  | 'conflict'
  | 'precondition-failed'
  | 'too-large'
  | 'unsupported-media-type'
  | 'unprocessable'
  | 'precondition-required'
  | 'rate-limited'
  | 'internal'
  | 'unavailable';
