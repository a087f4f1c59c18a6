import type { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { answerClientError } from './client-error.js';

/** How long a body may take: as a whole, or without a single new byte (noticed after once to twice that time). */
export type BodyDeadline = { readonly wholeMs: number } | { readonly idleMs: number };

/** What is needed of a request. */
export type WatchedRequest = Pick<IncomingMessage, 'headers' | 'once'> & { readonly socket: Socket };

/** Cuts a client off whose body does not arrive in time, with 408. */
export function watchBody(request: WatchedRequest, deadline: BodyDeadline): void {
  // An injected request has no connection that could be cut.
  if (!hasBody(request) || !(request.socket instanceof Socket)) return;
  const { socket } = request;
  let seenBytes = 'idleMs' in deadline ? -1 : socket.bytesRead;
  const look = (): void => {
    // Counted on the socket: listening for data would set the stream going before anybody reads it.
    const isMoving = 'idleMs' in deadline && socket.bytesRead !== seenBytes;
    seenBytes = socket.bytesRead;
    if (isMoving) return;
    clearInterval(timer);
    answerClientError(Object.assign(new Error('The body is too slow'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
  };
  const timer = setInterval(look, 'wholeMs' in deadline ? deadline.wholeMs : deadline.idleMs).unref();
  const stop = (): void => clearInterval(timer);
  request.once('end', stop).once('close', stop);
}

/** Closes the connection of a client that takes nothing of its answer for so long. Behind the answer Node sets the time of an idle connection. */
export function watchReader(socket: unknown, idleMs: number): void {
  if (socket instanceof Socket) socket.setTimeout(idleMs);
}

function hasBody({ headers }: WatchedRequest): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}
