import type { Clock } from '#kernel';
import { setTimeout as delay } from 'node:timers/promises';
import { ProviderError } from './provider-error.js';
import { readRefusalCode } from './read-refusal-code.js';
import { parseRetryAfterMs } from './retry-after.js';

export interface OpenAiClientOptions {
  /** With the version in its path and no slash at its end, for example `https://api.openai.com/v1`. */
  readonly baseUrl: string;
  /** `null` = none is sent. */
  readonly apiKey: string | null;
  /** What messages call the service, for example `embedding provider`. */
  readonly serviceName: string;
  /** What messages call that which a refused request was about, for example `the texts or the model`. */
  readonly requestParts: string;
  readonly clock: Clock;
  /** Default: real time. */
  readonly wait?: ((ms: number, signal: AbortSignal) => Promise<void>) | undefined;
  /** 0 to 1; default `Math.random`. */
  readonly random?: (() => number) | undefined;
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
}

/** Tries of one request, the first included. */
const MAX_TRIES = 3;
/** A longer pause is the caller's to keep: the relay pauses the generation, a search answers that it cannot. */
const LONGEST_WAIT_MS = 2_000;
const FIRST_BACKOFF_MS = 200;

/** Sends requests to a service that speaks OpenAI's API, and tries again what may succeed a moment later. */
export class OpenAiClient {
  private readonly wait: (ms: number, signal: AbortSignal) => Promise<void>;
  private readonly random: () => number;
  private requests = 0;
  private retries = 0;
  private throttled = 0;
  private failed = 0;

  constructor(private readonly options: OpenAiClientOptions) {
    this.wait = options.wait ?? ((ms, signal) => delay(ms, undefined, { signal }));
    this.random = options.random ?? Math.random;
  }

  /**
   * Sends `body` as JSON to `{baseUrl}{path}` and returns what `read` makes of the reply, which has status 200.
   *
   * @param read throws ProviderError for a reply that it does not believe; a body that it has begun to read and hands on is cut when `timeoutMs` are over
   * @throws ProviderError after at most three tries; the signal's reason when it is aborted
   */
  async post<T>(
    path: string,
    body: object,
    read: (response: Response) => Promise<T>,
    { timeoutMs, budgetMs = Infinity, signal }: RequestOptions,
  ): Promise<T> {
    const deadlineMs = this.options.clock.monotonicMs() + budgetMs;
    const remainingMs = (): number => deadlineMs - this.options.clock.monotonicMs();
    const text = JSON.stringify(body);
    for (let tries = 1; ; tries++) {
      const limitMs = Math.max(1, Math.round(Math.min(timeoutMs, remainingMs())));
      const outcome = await this.attempt(() => this.send(path, text, read, limitMs, signal), limitMs, signal);
      if (!(outcome instanceof ProviderError)) return outcome;
      const waitMs = outcome.options.retryAfterMs ?? FIRST_BACKOFF_MS * 2 ** (tries - 1) * (1 + this.random());
      if (!outcome.isTransient || tries === MAX_TRIES || waitMs > Math.min(LONGEST_WAIT_MS, remainingMs())) throw outcome;
      this.retries++;
      await this.pause(waitMs, signal);
    }
  }

  stats(): ClientStatistics {
    const { requests, retries, throttled, failed } = this;
    return { requests, retries, throttled, failed };
  }

  /** One try; throws the signal's reason, and what is a defect of ours and no failure of the service. */
  private async attempt<T>(send: () => Promise<T>, timeoutMs: number, signal: AbortSignal): Promise<T | ProviderError> {
    this.requests++;
    try {
      return await send();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof ProviderError) && !isOfConnection(error)) throw error;
      this.failed++;
      const failure = this.failureOf(error, timeoutMs);
      if (failure.kind === 'throttled') this.throttled++;
      return failure;
    }
  }

  private async send<T>(
    path: string,
    body: string,
    read: (response: Response) => Promise<T>,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<T> {
    const { baseUrl, apiKey } = this.options;
    const response = await fetch(`${baseUrl}${path}`, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...(apiKey !== null && { authorization: `Bearer ${apiKey}` }),
      },
      body,
      // Followed, a redirect would take the texts to somebody else.
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    if (response.status !== 200) throw this.refusal(response, await readRefusalCode(response));
    return read(response);
  }

  /** Also for a reply that is read after {@link post} has returned: whatever fetch throws becomes a ProviderError, and says so of nothing else. */
  failureOf(error: unknown, timeoutMs: number): ProviderError {
    if (error instanceof ProviderError) return error;
    const { serviceName } = this.options;
    if (!isOfConnection(error))
      return new ProviderError('malformed', `The reply of the ${serviceName} could not be used`, { cause: error });
    const what = isTimeout(error) ? `within ${timeoutMs} ms` : 'or cut the connection';
    return new ProviderError('unavailable', `The ${serviceName} did not answer ${what}`, { cause: error });
  }

  private refusal({ status, headers }: Response, code: string | null): ProviderError {
    const { apiKey, serviceName, requestParts, clock } = this.options;
    const isTold = code !== null && apiKey?.includes(code) !== true;
    const says = `The ${serviceName} answered ${status}${isTold ? ` (${code})` : ''}`;
    const retryAfterMs = parseRetryAfterMs(headers.get('retry-after'), clock.now());
    if (status === 429) return new ProviderError('throttled', `${says}: too many requests, or the quota is used up`, { retryAfterMs });
    if (status === 408 || status >= 500) return new ProviderError('unavailable', says, { retryAfterMs });
    if (status === 401 || status === 403) return new ProviderError('refused-key', `${says}: it does not take OPENAI_API_KEY`);
    if (status === 404) return new ProviderError('not-found', `${says}: it knows no such model or path; see OPENAI_BASE_URL and the model`);
    if (status >= 400)
      return new ProviderError('refused-request', `${says}: it does not take ${requestParts}`, { code: isTold ? code : undefined });
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

/** No connection, a time-out, or a connection that was cut: what fetch and the reading of a body throw has a cause, and ours has none. */
function isOfConnection(error: unknown): boolean {
  const { name, cause } = (error ?? {}) as Partial<Error>;
  return isTimeout(error) || (name === 'TypeError' && cause !== undefined);
}

function isTimeout(error: unknown): boolean {
  return (error as Partial<Error> | null)?.name === 'TimeoutError';
}
