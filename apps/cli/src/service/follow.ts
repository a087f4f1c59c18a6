import { setTimeout as delay } from 'node:timers/promises';
import { ServiceError } from './service-error.js';

const POLL_MS = 500;
/** A restart of the service takes seconds; what it works on goes on behind it. */
export const PATIENCE_MS = 30_000;

export interface FollowOptions<Reply> {
  readonly look: () => Promise<Reply>;
  readonly isOver: (reply: Reply) => boolean;
  /** Shows where things stand. */
  readonly show: (reply: Reply) => void;
  /** Shows that the service cannot be asked just now. */
  readonly showAway: (error: ServiceError) => void;
  readonly wait?: (ms: number) => Promise<unknown>;
  readonly monotonicMs?: () => number;
}

/** Asks again and again until `isOver`. @throws ServiceError when the service refuses, or has been away for {@link PATIENCE_MS} */
export async function follow<Reply>(options: FollowOptions<Reply>): Promise<Reply> {
  const { look, isOver, show, showAway, wait = (ms) => delay(ms), monotonicMs = () => performance.now() } = options;
  let answeredAtMs = monotonicMs();
  for (;;) {
    try {
      const reply = await look();
      if (isOver(reply)) return reply;
      answeredAtMs = monotonicMs();
      show(reply);
    } catch (error) {
      if (!(error instanceof ServiceError) || !error.isPassing || monotonicMs() - answeredAtMs >= PATIENCE_MS) throw error;
      showAway(error);
    }
    await wait(POLL_MS);
  }
}
