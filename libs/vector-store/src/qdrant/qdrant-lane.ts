import { QdrantClient } from '@qdrant/js-client-rest';
import { Agent, type Dispatcher } from 'undici';
import type { QdrantAddress } from './qdrant-url.js';
import { RetryAfterHandler } from './retry-after-handler.js';

/** The server closes idle connections after 5 s; letting go first leaves the race to slow networks, where one retry settles it. */
const KEEP_ALIVE_TIMEOUT_MS = 4_000;

export type QdrantApi = ReturnType<QdrantClient['api']>;

/** A client with connections of its own: a lane that is full never holds up another one. */
export class QdrantLane {
  readonly api: QdrantApi;
  private readonly agent: Agent;
  private readonly dispatcher: Dispatcher;

  constructor(address: QdrantAddress, apiKey: string | null, maxConnections: number) {
    const client = new QdrantClient({
      ...address,
      // As a header: given as `apiKey`, every client prints a warning over http that cannot be switched off.
      headers: apiKey === null ? {} : { 'api-key': apiKey },
      // With a finite timeout the client overwrites the caller's signal. Every request brings a signal that knows both.
      timeout: Infinity,
      // Its check is not awaited and only prints; the adapter has its own.
      checkCompatibility: false,
    });
    this.api = client.api();
    // No timeouts here: the signal of the call bounds all of it, connecting included.
    this.agent = new Agent({ connections: maxConnections, keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS, headersTimeout: 0, bodyTimeout: 0 });
    this.dispatcher = this.agent.compose((dispatch) => (options, handler) => dispatch(options, new RetryAfterHandler(handler)));
  }

  /** What each request of the lane passes beside its payload. */
  requestInit(signal: AbortSignal): RequestInit {
    // The library's type names the agent's class; it only ever calls `dispatch`.
    return { signal, dispatcher: this.dispatcher as Agent };
  }

  /** Closes all connections; what is under way fails. */
  async destroy(): Promise<void> {
    await this.agent.destroy();
  }
}
