import type { FastifyReply } from 'fastify';

/** Aborts when the client leaves before it has its reply, so that nobody goes on working for it. */
export function clientSignal(reply: FastifyReply): AbortSignal {
  const leaving = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) leaving.abort(new Error('The client has left'));
  });
  return leaving.signal;
}

/** What the work gives; `null` when it was called off because the client has left: then nobody reads the reply, and nothing is wrong. */
export async function unlessGone<T>(work: Promise<T>, signal: AbortSignal): Promise<T | null> {
  try {
    return await work;
  } catch (error) {
    if (signal.aborted) return null;
    throw error;
  }
}
