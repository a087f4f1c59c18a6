import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { countBagTokens, hashedBagOfWords } from '../hashed-bag-of-words.js';
import { faultyBody, type EmbeddingFault, type VectorReply } from './embedding-fault.js';

export interface FakeEmbeddingServerOptions {
  /** Demanded as bearer token. Default: none. */
  readonly apiKey?: string;
  /** The only model it knows. Default `text-embedding-3-large`. */
  readonly model?: string;
  /** Components of its vectors unless a request asks for another number. Default 3072. */
  readonly dimensions?: number;
  /** Texts that one request may have. Default 2048, as OpenAI. */
  readonly maxTexts?: number;
}

/** A request that was answered, or would have been. */
export interface EmbeddingRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: {
    readonly model?: unknown;
    readonly input: readonly string[];
    readonly encoding_format?: unknown;
    readonly dimensions?: unknown;
  };
}

/** Words that a text may have; more are refused as too long. */
const MAX_WORDS = 8_191;

/**
 * Double of a provider that speaks OpenAI's embeddings API: an HTTP server in this process whose vectors are hashed bags of words.
 *
 * Answers as OpenAI does where that matters here: 401 without the key, 404 for another path or model, 400 for an empty text, too many or too long ones.
 */
export class FakeEmbeddingServer {
  /** Oldest first. */
  readonly requests: EmbeddingRequest[] = [];
  /** Requests whose client left before it had its answer. */
  abandoned = 0;
  private readonly server: Server;
  private readonly next: EmbeddingFault[] = [];
  private always: EmbeddingFault | null = null;
  private isRefused: (text: string) => boolean = () => false;

  private constructor(private readonly options: Required<Omit<FakeEmbeddingServerOptions, 'apiKey'>> & { readonly apiKey?: string }) {
    this.server = createServer((request, response) => void this.answer(request, response).catch(() => response.destroy()));
  }

  /** Starts one on a free port of this machine. */
  static async start(options: FakeEmbeddingServerOptions = {}): Promise<FakeEmbeddingServer> {
    const fake = new FakeEmbeddingServer({ model: 'text-embedding-3-large', dimensions: 3072, maxTexts: 2048, ...options });
    await new Promise<void>((resolve) => fake.server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  /** What `OPENAI_BASE_URL` is to be. */
  get baseUrl(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  /** Every text that was sent, in order. */
  get texts(): readonly string[] {
    return this.requests.flatMap(({ body }) => body.input);
  }

  /** The next requests fail so, one each, before anything that {@link behave} says. */
  failNext(...faults: readonly EmbeddingFault[]): void {
    this.next.push(...faults);
  }

  /** From now on every request fails so; `null` = none does. */
  behave(fault: EmbeddingFault | null): void {
    this.always = fault;
  }

  /** From now on a request with such a text is refused with 400, and with it all its other texts. */
  refuseWhen(isRefused: (text: string) => boolean): void {
    this.isRefused = isRefused;
  }

  /** Cuts every connection and ends. Idempotent. */
  async close(): Promise<void> {
    this.server.closeAllConnections();
    if (this.server.listening) await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = JSON.parse(Buffer.concat(parts).toString('utf8')) as EmbeddingRequest['body'];
    this.requests.push({ path: request.url!, headers: request.headers, body });
    const fault = this.next.shift() ?? this.always;
    response.once('close', () => {
      if (!response.writableEnded && fault?.kind !== 'cut') this.abandoned++;
    });
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'slow') await wait(fault.ms);
    if (fault?.kind === 'status') return refuse(response, fault.status, fault.code ?? 'told_to_fail', fault.headers);
    const refusal = this.refusalOf(request, body);
    if (refusal !== null) return refuse(response, ...refusal);
    const reply = this.embed(body);
    const text = fault === null ? JSON.stringify(reply) : faultyBody(reply, fault);
    response.writeHead(200, { 'content-type': fault?.kind === 'html' ? 'text/html' : 'application/json' });
    if (fault?.kind !== 'cut') return void response.end(text);
    response.write(text.slice(0, text.length / 2), () => response.destroy());
  }

  private refusalOf({ method, url, headers }: IncomingMessage, body: EmbeddingRequest['body']): [status: number, code: string] | null {
    const { apiKey, model, maxTexts } = this.options;
    if (method !== 'POST' || url !== '/v1/embeddings') return [404, 'unknown_url'];
    if (apiKey !== undefined && headers.authorization !== `Bearer ${apiKey}`) return [401, 'invalid_api_key'];
    if (body.model !== model) return [404, 'model_not_found'];
    const { input, encoding_format } = body;
    if (!Array.isArray(input) || input.length === 0 || input.length > maxTexts || encoding_format !== 'float')
      return [400, 'invalid_input'];
    if (input.some((text) => typeof text !== 'string' || text === '' || this.isRefused(text))) return [400, 'invalid_input'];
    return input.some((text: string) => countBagTokens(text) > MAX_WORDS) ? [400, 'context_length_exceeded'] : null;
  }

  private embed({ input, dimensions = this.options.dimensions }: EmbeddingRequest['body']): VectorReply {
    const embeddings = input.map((text) => hashedBagOfWords(text, dimensions as number, MAX_WORDS));
    const tokens = embeddings.reduce((sum, embedding) => sum + embedding.tokens, 0);
    return {
      object: 'list',
      data: embeddings.map(({ vector }, index) => ({ object: 'embedding', index, embedding: Array.from(vector) })),
      model: this.options.model,
      usage: { prompt_tokens: tokens, total_tokens: tokens },
    };
  }
}

/** As OpenAI refuses, the message with a piece of the key in it included: nobody may repeat it. */
function refuse(response: ServerResponse, status: number, code: string, headers: Readonly<Record<string, string>> = {}): void {
  const error = {
    message: `Refused; your key ends in ${response.req.headers.authorization?.slice(-8)}`,
    type: 'invalid_request_error',
    code,
  };
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ error }));
}
