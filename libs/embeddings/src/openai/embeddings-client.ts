import { OpenAiClient, ProviderError, readBounded, type ClientStatistics, type OpenAiClientOptions, type RequestOptions } from '#openai';
import { readVectors, type ProviderReply } from './read-vectors.js';

export interface EmbeddingsClientOptions extends Omit<OpenAiClientOptions, 'serviceName' | 'requestParts'> {
  readonly model: string;
  /** Components of each vector. */
  readonly dimensions: number;
  /** Whether the model is asked for so many; many models refuse the question. */
  readonly asksForDimensions: boolean;
}

/** Counters since the client was made. */
export interface EmbeddingsClientStatistics extends ClientStatistics {
  /** As the provider says. */
  readonly usedTokens: number;
}

/** A component in decimal digits, sign, exponent, comma and indentation; OpenAI's take 12 to 24 characters. */
const BYTES_PER_COMPONENT = 64;
const BYTES_BESIDE_VECTORS = 64 * 1_024;

/** Sends texts to `POST {baseUrl}/embeddings`, and checks what comes back. */
export class EmbeddingsClient {
  private readonly client: OpenAiClient;
  private usedTokens = 0;

  constructor(private readonly options: EmbeddingsClientOptions) {
    this.client = new OpenAiClient({
      ...options,
      serviceName: 'embedding provider',
      requestParts: 'the texts, the model or its dimensions',
    });
  }

  /**
   * Returns one unit vector per text, in the order of the texts.
   *
   * @throws ProviderError after at most three tries; the signal's reason when it is aborted
   */
  async embed(texts: readonly string[], options: RequestOptions): Promise<readonly Float32Array[]> {
    const { model, dimensions, asksForDimensions } = this.options;
    const body = { model, input: texts, encoding_format: 'float', ...(asksForDimensions && { dimensions }) };
    const reply = await this.client.post('/embeddings', body, (response) => this.read(response, texts.length), options);
    this.usedTokens += reply.usedTokens;
    return reply.vectors;
  }

  stats(): EmbeddingsClientStatistics {
    return { ...this.client.stats(), usedTokens: this.usedTokens };
  }

  private async read(response: Response, count: number): Promise<ProviderReply> {
    const { dimensions } = this.options;
    const limit = count * dimensions * BYTES_PER_COMPONENT + BYTES_BESIDE_VECTORS;
    const body = await readBounded(response, limit);
    if (body === null) throw new ProviderError('malformed', `The reply of the embedding provider is longer than ${limit} bytes`);
    return readVectors(body, count, dimensions);
  }
}
