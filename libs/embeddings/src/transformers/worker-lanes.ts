import { Claim } from './claim.js';
import type { EmbedMessage } from './worker-protocol.js';

/** What waits inside one thread: queries before documents, each lane in order of arrival. */
export class WorkerLanes {
  private readonly queries: EmbedMessage[] = [];
  private readonly documents: EmbedMessage[] = [];

  constructor(private readonly workerNumber: number) {}

  push(message: EmbedMessage): void {
    (message.lane === 'query' ? this.queries : this.documents).push(message);
  }

  /** Claims and returns the next text; texts that others took, or that were withdrawn, are dropped on the way. `null` = nothing to do. */
  next(): EmbedMessage | null {
    for (;;) {
      const message = this.queries.shift() ?? this.documents.shift();
      if (message === undefined) return null;
      if (new Claim(message.claim).take(this.workerNumber)) return message;
    }
  }
}
