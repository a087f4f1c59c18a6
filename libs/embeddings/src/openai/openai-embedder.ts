import { DomainError, SystemClock, type Clock } from '#kernel';
import { ProviderError, type RequestOptions } from '#openai';
import { Embedder, type EmbedderDescriptor, type EmbedOptions, type Embedding } from '../embedder.js';
import type { EmbeddingServiceState } from '../embedder-registry.js';
import type { EmbedderActivity, QueryCacheStatistics } from '../embedder-activity.js';
import { inOrderOf } from '../in-order-of.js';
import { modelRevOf } from '../model-rev.js';
import { QueryCache } from '../query-cache.js';
import { EmbeddingsClient, type EmbeddingsClientOptions, type EmbeddingsClientStatistics } from './embeddings-client.js';
import { cutToTokens, estimateTokens } from './estimate-tokens.js';
import { planBatches, type BatchLimits } from './plan-batches.js';
import { RequestLane } from './request-lane.js';
import { RequestSlots } from './request-slots.js';

export interface OpenAiEmbedderOptions extends Pick<
  EmbeddingsClientOptions,
  'baseUrl' | 'apiKey' | 'asksForDimensions' | 'wait' | 'random'
> {
  readonly descriptor: EmbedderDescriptor;
  /** One try of a request with documents, milliseconds. */
  readonly timeoutMs: number;
  /** One query with all its tries, milliseconds. */
  readonly queryTimeoutMs: number;
  /** Texts of one request, at least 1. */
  readonly batchSize: number;
  /** Default: the system's. */
  readonly clock?: Clock;
}

/** Counters since the embedder was made. */
export interface OpenAiEmbedderStatistics extends EmbeddingsClientStatistics {
  readonly cache: QueryCacheStatistics;
}

/** Requests with documents that are under way at a time. */
const DOCUMENT_REQUESTS = 4;
/** OpenAI takes 300,000 tokens in a request; as estimates are bytes, a quarter of these at most are real. */
const TOKENS_PER_REQUEST = 100_000;
/** A reply is parsed in the calling thread, and holds it up for longer the more components it has. */
const COMPONENTS_PER_REPLY = 65_536;
/** An empty input is refused everywhere; a full stop is one token of every vocabulary, and says as little. */
const BLANK = '.';
/** When a provider throttles without saying for how long, the pause doubles from one second up to this. */
const LONGEST_OWN_PAUSE_MS = 32_000;
/** Of two vectors of one text; texts that say different things are far below. */
const REPEAT_COSINE = 0.999;

/** One text on its way to the provider. */
interface ProviderText {
  readonly input: string;
  /** As estimated, special tokens included; at most `maxTokens`. */
  readonly tokens: number;
  readonly isTruncated: boolean;
}

/**
 * Embeds with a service that speaks OpenAI's `POST /embeddings`. Queries do not wait for documents; white space around a text is not sent.
 *
 * Tokens are an upper estimate (see {@link estimateTokens}), and a text is cut by it. Whether the same text gets the same vector bit for bit is the
 * provider's affair; OpenAI's differ in the last digits now and then.
 *
 * Every failure is a DomainError `search.embedder-unavailable`; one that names `Retry-After` was caused by throttling, any other may be the fault of a
 * text or of the provider: whoever wants to know embeds another text.
 */
export class OpenAiEmbedder extends Embedder {
  readonly descriptor: EmbedderDescriptor;
  readonly modelRev: string;
  private readonly client: EmbeddingsClient;
  private readonly cache: QueryCache;
  private readonly documentSlots = new RequestSlots(DOCUMENT_REQUESTS);
  private readonly lanes = { query: new RequestLane(), document: new RequestLane() };
  private readonly limits: BatchLimits;
  private readonly closing = new AbortController();
  private throttlingsInARow = 0;
  private lastFailure: ProviderError | null = null;

  constructor(private readonly options: OpenAiEmbedderOptions) {
    super();
    const { descriptor, baseUrl, apiKey, asksForDimensions, wait, random, batchSize, clock = new SystemClock() } = options;
    const { model, dimensions } = descriptor;
    this.descriptor = descriptor;
    this.modelRev = modelRevOf(descriptor);
    this.client = new EmbeddingsClient({ baseUrl, apiKey, model, dimensions, asksForDimensions, clock, wait, random });
    const maxTexts = Math.min(batchSize, Math.max(1, Math.floor(COMPONENTS_PER_REPLY / dimensions)));
    this.limits = { maxTexts, maxTokens: TOKENS_PER_REQUEST };
    this.cache = new QueryCache((text, signal) => this.embedUncachedQuery(text, signal));
  }

  /** How the last request ended. */
  get state(): Exclude<EmbeddingServiceState, 'not_configured'> {
    if (this.lastFailure === null) return 'healthy';
    return this.lastFailure.kind === 'throttled' ? 'degraded' : 'unhealthy';
  }

  override get repeatCosine(): number {
    return REPEAT_COSINE;
  }

  get dimensions(): number {
    return this.descriptor.dimensions;
  }

  get maxTokens(): number {
    return this.descriptor.max_tokens;
  }

  /** Nothing has to be loaded, and nothing is asked: a provider that is away must not hold up the start. */
  async ready(): Promise<void> {
    this.closing.signal.throwIfAborted();
  }

  override forgetQueries(): void {
    this.cache.clear();
  }

  async embedQuery(text: string, options: EmbedOptions = {}): Promise<Embedding> {
    return this.cache.get(text, options);
  }

  async embedDocuments(texts: readonly string[], { signal }: EmbedOptions = {}): Promise<Embedding[]> {
    const failing = new AbortController();
    const signals = [failing.signal, this.closing.signal, ...(signal === undefined ? [] : [signal])];
    const anySignal = AbortSignal.any(signals);
    anySignal.throwIfAborted();
    const distinct = new Map(texts.map((text) => [text, this.prepare(this.descriptor.document_prefix, text)]));
    const embeddings = new Map<ProviderText, Embedding>();
    const request: RequestOptions = { timeoutMs: this.options.timeoutMs, signal: anySignal };
    const send = async (batch: readonly ProviderText[]): Promise<void> => {
      const vectors = await this.documentSlots.run(anySignal, () => this.lanes.document.send(() => this.request(batch, request)));
      for (const [i, text] of batch.entries()) embeddings.set(text, embeddingOf(text, vectors[i]!));
    };
    try {
      await Promise.all(planBatches([...distinct.values()], this.limits).map(send));
    } catch (error) {
      // One failure is the failure of the call, so the rest would be embedded for nobody.
      failing.abort(error);
      throw error;
    }
    return inOrderOf(texts, (text) => embeddings.get(distinct.get(text)!)!);
  }

  async countTokens(texts: readonly string[], { signal }: EmbedOptions = {}): Promise<number[]> {
    signal?.throwIfAborted();
    this.closing.signal.throwIfAborted();
    return texts.map((text) => estimateTokens(inputOf(this.descriptor.document_prefix, text)));
  }

  override activity(): EmbedderActivity {
    return {
      queries: this.lanes.query.snapshot(0),
      documents: this.lanes.document.snapshot(this.documentSlots.waitingCount),
      cache: this.cache.stats(),
    };
  }

  stats(): OpenAiEmbedderStatistics {
    return { ...this.client.stats(), cache: this.cache.stats() };
  }

  close(): Promise<void> {
    this.closing.abort(new DomainError('search.embedder-unavailable', { detail: 'The embedder is closed' }));
    return Promise.resolve();
  }

  private async embedUncachedQuery(text: string, signal: AbortSignal): Promise<Embedding> {
    const { queryTimeoutMs: budgetMs } = this.options;
    const anySignal = AbortSignal.any([signal, this.closing.signal]);
    anySignal.throwIfAborted();
    const prepared = this.prepare(this.descriptor.query_prefix, text);
    const [vector] = await this.lanes.query.send(() => this.request([prepared], { timeoutMs: budgetMs, budgetMs, signal: anySignal }));
    return embeddingOf(prepared, vector!);
  }

  private prepare(prefix: string, text: string): ProviderText {
    const whole = inputOf(prefix, text);
    const tokens = estimateTokens(whole);
    const isTruncated = tokens > this.maxTokens;
    return { input: cutToTokens(whole, this.maxTokens), tokens: isTruncated ? this.maxTokens : tokens, isTruncated };
  }

  private async request(texts: readonly ProviderText[], options: RequestOptions): Promise<readonly Float32Array[]> {
    const inputs = texts.map(({ input }) => input);
    try {
      const vectors = await this.client.embed(inputs, options);
      this.throttlingsInARow = 0;
      this.lastFailure = null;
      return vectors;
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      // What is refused may be a text; the service is there.
      if (error.kind !== 'refused-request') this.lastFailure = error;
      throw this.toDomainError(error);
    }
  }

  /** Throttling always says for how long: without that, it would be looked for in the texts. */
  private toDomainError(error: ProviderError): DomainError {
    let { retryAfterMs } = error.options;
    if (error.kind === 'throttled') retryAfterMs ??= Math.min(1_000 * 2 ** this.throttlingsInARow++, LONGEST_OWN_PAUSE_MS);
    const headers: Record<string, string> =
      retryAfterMs === undefined ? {} : { 'Retry-After': String(Math.max(1, Math.ceil(retryAfterMs / 1_000))) };
    return new DomainError('search.embedder-unavailable', { detail: error.message, headers, cause: error });
  }
}

/** What is sent of a text: white space around it does not count, and a lone surrogate has no UTF-8 form. */
function inputOf(prefix: string, text: string): string {
  return `${prefix}${text.trim() || BLANK}`.toWellFormed();
}

function embeddingOf({ tokens, isTruncated }: ProviderText, vector: Float32Array): Embedding {
  return { vector, tokens, isTruncated };
}
