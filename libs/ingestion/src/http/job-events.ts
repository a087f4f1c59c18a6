import { setTimeout as delay } from 'node:timers/promises';

/** At most two a second. */
const LOOK_EVERY_MS = 500;
/** Proxies cut a connection on which nothing happens, most of them after 30 s or more. */
const HEARTBEAT_MS = 15_000;
const RECONNECT_MS = 2_000;

export interface JobEventOptions<Reply> {
  readonly look: () => Promise<Reply>;
  readonly isOver: (reply: Reply) => boolean;
  readonly signal: AbortSignal;
  readonly lookEveryMs?: number;
  readonly heartbeatMs?: number;
}

/**
 * The states of a job as server-sent events, each in full: `progress` whenever something has changed, and `end` as the last one. Who connects again gets the
 * state as it is then, so nothing has to be remembered. When the process stops it ends without `end`.
 */
export async function* jobEvents<Reply>(options: JobEventOptions<Reply>): AsyncGenerator<string> {
  const { look, isOver, signal, lookEveryMs = LOOK_EVERY_MS, heartbeatMs = HEARTBEAT_MS } = options;
  yield `retry: ${RECONNECT_MS}\n\n`;
  let shown = '';
  let silentMs = 0;
  while (!signal.aborted) {
    const reply = await look();
    const text = JSON.stringify(reply);
    if (isOver(reply)) {
      yield `event: end\ndata: ${text}\n\n`;
      return;
    }
    if (text !== shown) yield `event: progress\ndata: ${text}\n\n`;
    else if (silentMs >= heartbeatMs) yield ': still here\n\n';
    silentMs = text !== shown || silentMs >= heartbeatMs ? 0 : silentMs + lookEveryMs;
    shown = text;
    await delay(lookEveryMs, undefined, { signal }).catch(() => undefined);
  }
}
