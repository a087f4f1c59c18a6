import type { EmbedderActivity } from './embedder-activity.js';

/**
 * Everything that decides what vector a text gets. Stored with each index generation; `modelRev` is its hash.
 *
 * snake_case because it is stored as JSON in `index_generations.embedder`.
 */
export interface EmbedderDescriptor {
  /** `local` = computed on this machine; `openai` = asked of a service that speaks OpenAI's API. */
  readonly provider: 'local' | 'openai';
  /** Name of the model, for example `all-MiniLM-L6-v2`, `owner/name` on a model hub, or `text-embedding-3-large`. */
  readonly model: string;
  /**
   * Tells models of one name apart. Local: the SHA-256 of the ONNX file, shortened to 12 hex digits. `openai`: the host of the service, or what the
   * operator calls it.
   */
  readonly revision: string;
  readonly dtype: 'q8' | 'fp32' | 'fp16';
  readonly dimensions: number;
  /** `provider` = the service's own affair. */
  readonly pooling: 'mean' | 'provider';
  readonly query_prefix: string;
  readonly document_prefix: string;
  /** Tokens of a text that are read, special tokens included; the rest is cut. */
  readonly max_tokens: number;
}

/** One embedded text. */
export interface Embedding {
  /** `Float32Array` of length `dimensions`, L2-normalised, validated; the caller's own. */
  readonly vector: Float32Array;
  /** Tokens that were read, special tokens included. */
  readonly tokens: number;
  /** Whether the text was longer than the model reads, so that its end is not in the vector. */
  readonly isTruncated: boolean;
}

export interface EmbedOptions {
  /** Rejects the call with the signal's reason; work that has not begun is dropped. */
  readonly signal?: AbortSignal;
}

/**
 * Turns texts into unit vectors; the same text always gives the same vector, alone or among others, up to {@link repeatCosine}.
 *
 * Every text is accepted: an empty or blank one has a vector too (that of no words), and what is longer than `maxTokens` is cut and flagged.
 */
export abstract class Embedder {
  abstract readonly descriptor: EmbedderDescriptor;
  /** Hash of the descriptor: two embedders with equal `modelRev` are interchangeable. */
  abstract readonly modelRev: string;
  abstract readonly dimensions: number;
  abstract readonly maxTokens: number;

  /** Lowest cosine between two vectors of one text. Default 1: bit for bit; less only where somebody else computes them. */
  get repeatCosine(): number {
    return 1;
  }

  /** Loads the model, once; resolves when the first text can be embedded at full speed. */
  abstract ready(): Promise<void>;

  /**
   * Embeds a search text ahead of all documents that wait. Cached by text; equal texts in flight share one run.
   *
   * @throws DomainError `search.embedder-unavailable`
   */
  abstract embedQuery(text: string, options?: EmbedOptions): Promise<Embedding>;

  /**
   * Embeds documents behind all queries; the result has the order and the length of `texts`. Not cached here.
   *
   * @throws DomainError `search.embedder-unavailable`
   */
  abstract embedDocuments(texts: readonly string[], options?: EmbedOptions): Promise<Embedding[]>;

  /**
   * Counts the tokens of each text as the model would read it as a document, were it not cut: document prefix and special tokens included, in the
   * order of `texts`. The count is above `maxTokens` for exactly the texts that {@link embedDocuments} cuts.
   *
   * A local model counts exactly. A provider whose tokenizer is not known here estimates, and never counts too few. `['']` gives what every text
   * pays for prefix and special tokens. Does not block the event loop, and does not hold up queries.
   *
   * @throws DomainError `search.embedder-unavailable`
   */
  abstract countTokens(texts: readonly string[], options?: EmbedOptions): Promise<number[]>;

  /** What it has done in this process; `null` = it does not count. Default: null. */
  activity(): EmbedderActivity | null {
    return null;
  }

  /** Forgets the search texts that it remembers. Default: it remembers none. */
  forgetQueries(): void {}

  /** Stops the workers; calls in flight reject. Idempotent. */
  abstract close(): Promise<void>;
}
