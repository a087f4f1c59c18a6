import { Claim } from './claim.js';
import type { EncodedText } from './sentence-encoder.js';
import type { EmbedMessage, Lane } from './worker-protocol.js';

/** A text is tried on two threads at most: the second death is taken for the text's fault. */
const MAX_DEATHS = 2;

/** Somewhere a text was sent to and may be taken back from. */
export interface OfferTarget {
  forget(task: EmbedTask): void;
}

/** One text on its way through the pool; settles its promise exactly once. */
export class EmbedTask {
  readonly promise: Promise<EncodedText>;
  /** The threads that have been sent this text and have neither answered nor died. */
  readonly offeredTo = new Set<OfferTarget>();
  claim = new Claim();
  isSettled = false;
  private deaths = 0;
  private settleWith!: { resolve: (encoded: EncodedText) => void; reject: (reason: Error) => void };

  constructor(
    readonly id: number,
    readonly lane: Lane,
    readonly text: string,
  ) {
    this.promise = new Promise((resolve, reject) => {
      this.settleWith = { resolve, reject };
    });
  }

  message(): EmbedMessage {
    return { id: this.id, lane: this.lane, text: this.text, claim: this.claim.shared };
  }

  resolve(encoded: EncodedText): void {
    this.isSettled = true;
    this.settleWith.resolve(encoded);
  }

  reject(reason: Error): void {
    this.isSettled = true;
    this.settleWith.reject(reason);
  }

  /** Takes the text back from every thread that has not answered. */
  forgetEverywhere(): void {
    for (const target of [...this.offeredTo]) target.forget(this);
  }

  /** Notes that the thread that was embedding this text has died, and opens the text again; `false` when it has had its retry. */
  surviveDeath(): boolean {
    this.deaths++;
    this.claim = new Claim();
    return this.deaths < MAX_DEATHS;
  }
}
