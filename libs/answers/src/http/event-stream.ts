import { DomainError } from '#kernel';
import { Logger } from '@nestjs/common';
import { PassThrough, type Readable } from 'node:stream';

/** Proxies cut a connection on which nothing happens, most of them after 30 s or more. */
const HEARTBEAT_MS = 15_000;

/** Sends one event; its data are JSON. What comes behind the client's leave is dropped. */
export type SendEvent = (name: string, data: unknown) => void;

export const EVENT_STREAM_TYPE = 'text/event-stream';
export const EVENT_STREAM_HEADERS = {
  'content-type': `${EVENT_STREAM_TYPE}; charset=utf-8`,
  'cache-control': 'no-store',
  // nginx would keep the events back until they fill a buffer.
  'x-accel-buffering': 'no',
};

/**
 * Makes a reply of server-sent events out of what `produce` sends; ends when it resolves. When it fails, the last event is `error` with code and title.
 *
 * @param produce gets a signal that aborts when the client has left
 */
export function eventStream(produce: (send: SendEvent, signal: AbortSignal) => Promise<void>, heartbeatMs = HEARTBEAT_MS): Readable {
  // No back-pressure: what is sent is bounded, and a client that does not read must not hold up the provider.
  const stream = new PassThrough();
  const leaving = new AbortController();
  const write = (text: string): void => {
    if (stream.writable) stream.write(text);
  };
  const send: SendEvent = (name, data) => write(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
  const heartbeat = setInterval(() => write(': still here\n\n'), heartbeatMs);
  stream.once('close', () => leaving.abort(new Error('The client has left')));
  produce(send, leaving.signal)
    .catch((error: unknown) => {
      if (!leaving.signal.aborted) send('error', problemOf(error));
    })
    .finally(() => {
      clearInterval(heartbeat);
      stream.end();
    });
  return stream;
}

/** Whether the client asks for events rather than for JSON; JSON when it takes both alike. */
export function wantsEvents(accept: string | undefined): boolean {
  const weights = new Map<string, number>();
  for (const part of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = part.split(';').map((text) => text.trim().toLowerCase());
    const weight = parameters.find((parameter) => parameter.startsWith('q='))?.slice('q='.length);
    weights.set(type, weight === undefined ? 1 : Number(weight) || 0);
  }
  // The most exact range decides (RFC 9110, 12.5.1).
  const weightOf = (type: string) => weights.get(type) ?? weights.get(type.replace(/\/.*/, '/*')) ?? weights.get('*/*') ?? 0;
  return weightOf(EVENT_STREAM_TYPE) > weightOf('application/json');
}

function problemOf(error: unknown) {
  if (!(error instanceof DomainError)) new Logger('Answers').error({ msg: 'stream failed', err: error });
  const known = error instanceof DomainError ? error : new DomainError('internal.error');
  const { title, retryable } = known.definition;
  return { type: `urn:kindred:error:${known.code}`, code: known.code, title, detail: known.detail, retryable };
}
