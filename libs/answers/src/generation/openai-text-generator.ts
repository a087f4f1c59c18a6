import { OpenAiClient, ProviderError, type OpenAiClientOptions } from '#openai';
import { CompletionReader } from './completion-reader.js';
import { GeneratorError } from './generator-error.js';
import { TextGenerator, type GenerateOptions, type PromptMessage } from './text-generator.js';

export interface OpenAiTextGeneratorOptions extends Omit<OpenAiClientOptions, 'serviceName' | 'requestParts'> {
  readonly model: string;
  /** Of the text that is written. */
  readonly maxTokens: number;
  /** One text with all tries, milliseconds, from the request to its last piece. */
  readonly timeoutMs: number;
}

/** Low: an answer is to repeat what the passages say. */
const TEMPERATURE = 0.2;
/** With these words OpenAI's reasoning models refuse `max_tokens` and a temperature; other services know nothing else than `max_tokens`. */
const OTHER_DIALECT: ReadonlySet<string> = new Set(['unsupported_parameter', 'unsupported_value']);

/** Writes with a service that speaks OpenAI's `POST /chat/completions`. Once a piece of the text has arrived, nothing is tried again. */
export class OpenAiTextGenerator extends TextGenerator {
  readonly model: string;
  private readonly client: OpenAiClient;
  private speaksReasoningDialect = false;

  constructor(private readonly options: OpenAiTextGeneratorOptions) {
    super();
    this.model = options.model;
    this.client = new OpenAiClient({ ...options, serviceName: 'answer provider', requestParts: 'the prompt or the model' });
  }

  async generate(messages: readonly PromptMessage[], { onPiece, signal }: GenerateOptions): Promise<string> {
    try {
      return await this.ask(messages, onPiece, signal);
    } catch (error) {
      signal.throwIfAborted();
      const failure = this.client.failureOf(error, this.options.timeoutMs);
      // A prompt that is refused says nothing about the next one.
      const isOutage = failure.kind !== 'refused-request';
      throw new GeneratorError(failure.message, { isOutage, retryAfterMs: failure.options.retryAfterMs, cause: failure });
    }
  }

  private async ask(messages: readonly PromptMessage[], onPiece: GenerateOptions['onPiece'], signal: AbortSignal): Promise<string> {
    try {
      return await this.send(messages, onPiece, signal);
    } catch (error) {
      const code = error instanceof ProviderError && error.kind === 'refused-request' ? error.options.code : undefined;
      if (this.speaksReasoningDialect || code === undefined || !OTHER_DIALECT.has(code)) throw error;
      this.speaksReasoningDialect = true;
      return this.send(messages, onPiece, signal);
    }
  }

  private async send(messages: readonly PromptMessage[], onPiece: GenerateOptions['onPiece'], signal: AbortSignal): Promise<string> {
    const { model, maxTokens, timeoutMs } = this.options;
    const limits = this.speaksReasoningDialect ? { max_completion_tokens: maxTokens } : { max_tokens: maxTokens, temperature: TEMPERATURE };
    const body = { model, messages, ...limits, ...(onPiece !== undefined && { stream: true }) };
    const request = { timeoutMs, budgetMs: timeoutMs, signal };
    if (onPiece === undefined)
      return this.client.post('/chat/completions', body, (response) => CompletionReader.readWhole(response), request);
    // The first piece belongs to the request, which may be sent again until then.
    const reader = await this.client.post('/chat/completions', body, (response) => CompletionReader.begin(response), request);
    return reader.readRest(onPiece);
  }
}
