import type { Clock } from '#kernel';
import { setTimeout as delay } from 'node:timers/promises';
import { ProviderError } from './provider-error.js';
import { readBounded } from './read-bounded.js';
import { readRefusalCode } from './read-refusal-code.js';
import { readVectors, type ProviderReply } from './read-vectors.js';
import { parseRetryAfterMs } from './retry-after.js';

export interface EmbeddingsClientOptions {
  /** With the version in its path and no slash at its end, for example `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  /** `null` = none is sent. */
  readonly apiKey: string | null;
  readonly model: string;
  /** Components of each vector. */
  readonly dimensions: number;
  /** Whether the model is asked for so many; many models refuse the question. */
  readonly asksForDimensions: boolean;
  readonly clock: Clock;
  /** Default: real time. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  /** 0 to 1; default `Math.random`. */
  readonly random?: () => number;
}

export interface RequestOptions {
  /** One try, milliseconds, the reading of the reply included. */
  readonly timeoutMs: number;
  /** All tries and the pauses between them, milliseconds. Default: no limit but the number of tries. */
  readonly budgetMs?: number;
  readonly signal: AbortSignal;
}

/** Counters since the client was made. */
export interface ClientStatistics {
  readonly requests: number;
  readonly retries: number;
  readonly throttled: number;
  readonly failed: number;
  /** As the provider says. */
  readonly usedTokens: number;
}

/** Tries of one request, the first included. */
const MAX_TRIES = 3;
/** A longer pause is the caller's to keep: the relay pauses the generation, a search answers that it cannot. */
const LONGEST_WAIT_MS = 2_000;
const FIRST_BACKOFF_MS = 200;

/** A component in decimal digits, sign, exponent, comma and indentation; OpenAI's take 12 to 24 characters. */
const BYTES_PER_COMPONENT = 64;
const BYTES_BESIDE_VECTORS = 64 * 1_024;

/** Sends texts to `POST {baseUrl}/embeddings`, tries again what may succeed a moment later, and checks what comes back. */
export class EmbeddingsClient {
  private readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  private readonly random: () => number;
  private requests = 0;
  private retries = 0;
  private throttled = 0;
  private failed = 0;
  private usedTokens = 0;

  constructor(private readonly options: EmbeddingsClientOptions) {
    this.wait = options.wait ?? ((ms, signal) => delay(ms, undefined, { signal }));
    this.random = options.random ?? Math.random;
  }

  /**
   * Returns one unit vector per text, in the order of the texts.
   *
   * @throws ProviderError after at most three tries; the signal's reason when it is aborted
   */
  async embed(texts: readonly string[], { timeoutMs, budgetMs = Infinity, signal }: RequestOptions): Promise<readonly Float32Array[]> {
    const deadlineMs = this.options.clock.monotonicMs() + budgetMs;
    const remainingMs = (): number => deadlineMs - this.options.clock.monotonicMs();
    for (let tries = 1; ; tries++) {
      const outcome = await this.attempt(texts, Math.max(1, Math.round(Math.min(timeoutMs, remainingMs()))), signal);
      if (!(outcome instanceof ProviderError)) {
        this.usedTokens += outcome.usedTokens;
        return outcome.vectors;
      }
      const waitMs = outcome.options.retryAfterMs ?? FIRST_BACKOFF_MS * 2 ** (tries - 1) * (1 + this.random());
      if (!outcome.isTransient || tries === MAX_TRIES || waitMs > Math.min(LONGEST_WAIT_MS, remainingMs())) throw outcome;
      this.retries++;
      await this.pause(waitMs, signal);
    }
  }

  stats(): ClientStatistics {
    const { requests, retries, throttled, failed, usedTokens } = this;
    return { requests, retries, throttled, failed, usedTokens };
  }

  /** One try; throws only the signal's reason. */
  private async attempt(texts: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<ProviderReply | ProviderError> {
    this.requests++;
    try {
      return await this.send(texts, timeoutMs, signal);
    } catch (error) {
      signal.throwIfAborted();
      this.failed++;
      if (!(error instanceof ProviderError)) {
        // Whatever fetch throws: no connection, a time-out, a connection that was cut.
        const isLate = (error as Partial<Error> | null)?.name === 'TimeoutError';
        const what = isLate ? `within ${timeoutMs} ms` : 'or cut the connection';
        return new ProviderError('unavailable', `The embedding provider did not answer ${what}`, { cause: error });
      }
      if (error.kind === 'throttled') this.throttled++;
      return error;
    }
  }

  private async send(texts: readonly string[], timeoutMs: number, signal: AbortSignal): Promise<ProviderReply> {
    const { baseUrl, apiKey, model, dimensions, asksForDimensions } = this.options;
    const response = await fetch(`${baseUrl}/embeddings`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json',
        ...(apiKey !== null && { authorization: `Bearer ${apiKey}` }),
      },
      body: JSON.stringify({ model, input: texts, encoding_format: 'float', ...(asksForDimensions && { dimensions }) }),
      // Followed, a redirect would take the texts to somebody else.
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    if (response.status !== 200) throw this.refusal(response, await readRefusalCode(response));
    const limit = texts.length * dimensions * BYTES_PER_COMPONENT + BYTES_BESIDE_VECTORS;
    const body = await readBounded(response, limit);
    if (body === null) throw new ProviderError('malformed', `The reply of the embedding provider is longer than ${limit} bytes`);
    return readVectors(body, texts.length, dimensions);
  }

  private refusal({ status, headers }: Response, code: string | null): ProviderError {
    const isTold = code !== null && this.options.apiKey?.includes(code) !== true;
    const says = `The embedding provider answered ${status}${isTold ? ` (${code})` : ''}`;
    const retryAfterMs = parseRetryAfterMs(headers.get('retry-after'), this.options.clock.now());
    if (status === 429) return new ProviderError('throttled', `${says}: too many requests, or the quota is used up`, { retryAfterMs });
    if (status === 408 || status >= 500) return new ProviderError('unavailable', says, { retryAfterMs });
    if (status === 401 || status === 403) return new ProviderError('refused-key', `${says}: it does not take OPENAI_API_KEY`);
    if (status === 404) return new ProviderError('not-found', `${says}: it knows no such model or path; see OPENAI_BASE_URL and the model`);
    if (status >= 400) return new ProviderError('refused-request', `${says}: it does not take the texts, the model or its dimensions`);
    return new ProviderError('malformed', `${says} instead of 200`);
  }

  private async pause(ms: number, signal: AbortSignal): Promise<void> {
    try {
      await this.wait(ms, signal);
    } catch (error) {
      // Aborted, the timer rejects with an error of its own.
      signal.throwIfAborted();
      throw error;
    }
  }
}
