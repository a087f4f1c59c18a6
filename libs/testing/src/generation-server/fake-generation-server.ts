import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import type { GenerationFault } from './generation-fault.js';

export interface FakeGenerationServerOptions {
  /** Demanded as bearer token. Default: none. */
  readonly apiKey?: string;
  /** The only model it knows. Default `test-writer`. */
  readonly model?: string;
  /** As OpenAI's reasoning models: it refuses `max_tokens` and a temperature. Default false. */
  readonly isReasoning?: boolean;
}

/** A request that was answered, or would have been. */
export interface GenerationRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: {
    readonly model?: unknown;
    readonly messages: readonly { readonly role: string; readonly content: string }[];
    readonly stream?: unknown;
    readonly max_tokens?: unknown;
    readonly max_completion_tokens?: unknown;
    readonly temperature?: unknown;
  };
}

/** What it writes for a prompt. */
export type Writer = (messages: GenerationRequest['body']['messages']) => string;

const ANSWER = 'Oak is hard and durable [1]. It is oiled twice a year [2].';
/** Bytes of a piece on the wire: small and odd, so that characters and lines are torn. */
const WIRE_BYTES = 37;
const CHARACTERS_PER_PIECE = 7;

/** Double of a provider that speaks OpenAI's `POST /chat/completions`, streamed or not: an HTTP server in this process. */
export class FakeGenerationServer {
  /** Oldest first. */
  readonly requests: GenerationRequest[] = [];
  /** Requests whose client left before it had its answer. */
  abandoned = 0;
  private readonly server: Server;
  private readonly next: GenerationFault[] = [];
  private always: GenerationFault | null = null;
  private write: Writer = () => ANSWER;

  private constructor(private readonly options: Required<Omit<FakeGenerationServerOptions, 'apiKey'>> & { readonly apiKey?: string }) {
    this.server = createServer((request, response) => void this.answer(request, response).catch(() => response.destroy()));
  }

  /** Starts one on a free port of this machine. */
  static async start(options: FakeGenerationServerOptions = {}): Promise<FakeGenerationServer> {
    const fake = new FakeGenerationServer({ model: 'test-writer', isReasoning: false, ...options });
    await new Promise<void>((resolve) => fake.server.listen(0, '127.0.0.1', resolve));
    return fake;
  }

  /** What `OPENAI_BASE_URL` is to be. */
  get baseUrl(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  /** From now on it writes this; default: two sentences that cite 1 and 2. */
  writes(text: string | Writer): void {
    this.write = typeof text === 'string' ? () => text : text;
  }

  /** The next requests fail so, one each, before anything that {@link behave} says. */
  failNext(...faults: readonly GenerationFault[]): void {
    this.next.push(...faults);
  }

  /** From now on every request fails so; `null` = none does. */
  behave(fault: GenerationFault | null): void {
    this.always = fault;
  }

  /** Forgets what was asked, and answers properly from now on. */
  reset(): void {
    this.requests.length = 0;
    this.next.length = 0;
    this.always = null;
    this.write = () => ANSWER;
  }

  /** Cuts every connection and ends. Idempotent. */
  async close(): Promise<void> {
    this.server.closeAllConnections();
    if (this.server.listening) await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = JSON.parse(Buffer.concat(parts).toString('utf8')) as GenerationRequest['body'];
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
    if (fault?.kind === 'html') return page(response, '<!doctype html><title>502 Bad Gateway</title>', 'text/html');
    if (fault?.kind === 'body') return page(response, fault.body, fault.contentType ?? 'application/json');
    const text = fault?.kind === 'empty' ? '' : this.write(body.messages);
    const reason = fault?.kind === 'length' ? 'length' : fault?.kind === 'filtered' ? 'content_filter' : 'stop';
    if (body.stream !== true) return this.answerWhole(response, text, reason, fault?.kind === 'cut');
    await this.answerInPieces(response, text, reason, fault?.kind === 'cut' || fault?.kind === 'stall' ? fault.kind : null);
  }

  private refusalOf({ method, url, headers }: IncomingMessage, body: GenerationRequest['body']): [status: number, code: string] | null {
    const { apiKey, model, isReasoning } = this.options;
    if (method !== 'POST' || url !== '/v1/chat/completions') return [404, 'unknown_url'];
    if (apiKey !== undefined && headers.authorization !== `Bearer ${apiKey}`) return [401, 'invalid_api_key'];
    if (body.model !== model) return [404, 'model_not_found'];
    if (!Array.isArray(body.messages) || body.messages.length === 0) return [400, 'invalid_input'];
    if (isReasoning && body.max_tokens !== undefined) return [400, 'unsupported_parameter'];
    return isReasoning && body.temperature !== undefined ? [400, 'unsupported_value'] : null;
  }

  private answerWhole(response: ServerResponse, content: string, finish_reason: string, isCut: boolean): void {
    const choices = [{ index: 0, message: { role: 'assistant', content }, finish_reason }];
    const text = JSON.stringify({ object: 'chat.completion', model: this.options.model, choices });
    response.writeHead(200, { 'content-type': 'application/json' });
    if (!isCut) return void response.end(text);
    response.write(text.slice(0, text.length / 2), () => response.destroy());
  }

  private async answerInPieces(response: ServerResponse, text: string, reason: string, end: 'cut' | 'stall' | null): Promise<void> {
    const event = (delta: object, finish_reason: string | null) =>
      `data: ${JSON.stringify({ object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
    const characters = [...text];
    const pieces: string[] = [];
    for (let start = 0; start < characters.length; start += CHARACTERS_PER_PIECE) {
      pieces.push(event({ content: characters.slice(start, start + CHARACTERS_PER_PIECE).join('') }, null));
    }
    const shown = end === null ? pieces : pieces.slice(0, Math.ceil(pieces.length / 2));
    const last = end === null ? `${event({}, reason)}data: ${JSON.stringify({ choices: [], usage: {} })}\n\ndata: [DONE]\n\n` : '';
    const bytes = Buffer.from(`: hello\n\n${event({ role: 'assistant', content: '' }, null)}${shown.join('')}${last}`);
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' });
    for (let start = 0; start < bytes.length; start += WIRE_BYTES) {
      response.write(bytes.subarray(start, start + WIRE_BYTES));
      // A turn of the loop in between, so that they are read one by one.
      await wait(0);
    }
    if (end === 'stall') return;
    if (end === 'cut') response.destroy();
    else response.end();
  }
}

function page(response: ServerResponse, text: string, contentType: string): void {
  response.writeHead(200, { 'content-type': contentType });
  response.end(text);
}

/** As OpenAI refuses, the message with a piece of the key in it included: nobody may repeat it. */
function refuse(response: ServerResponse, status: number, code: string, headers: Readonly<Record<string, string>> = {}): void {
  const message = `Refused; your key ends in ${response.req.headers.authorization?.slice(-8)}`;
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify({ error: { message, type: 'invalid_request_error', code } }));
}
