import type { EncodedText, SentenceEncoderOptions } from './sentence-encoder.js';

/** `query` = somebody waits for the answer; `document` = bulk work. */
export type Lane = 'query' | 'document';

/** Which model a thread runs, and who it is. */
export interface ThreadSettings extends SentenceEncoderOptions {
  /** Number that no other thread of the pool ever had, above 0; what it writes into a claim. */
  readonly workerNumber: number;
}

/** What a thread is started with. */
export interface WorkerSettings extends ThreadSettings {
  /** Shared with the owner of the thread; see {@link NativeGate}. */
  readonly gate: SharedArrayBuffer;
}

/** One text, on its way to a thread. */
export interface EmbedMessage {
  readonly id: number;
  readonly lane: Lane;
  readonly text: string;
  /** Shared between the pool and every thread that the text was offered to; see {@link Claim}. */
  readonly claim: SharedArrayBuffer;
}

/** What a thread sends: once `ready`, then one `embedded` or `failed` for each text whose claim it won. */
export type WorkerMessage =
  | { readonly type: 'ready' }
  | ({ readonly type: 'embedded'; readonly id: number; readonly runMs: number } & EncodedText)
  | { readonly type: 'failed'; readonly id: number; readonly reason: string };
