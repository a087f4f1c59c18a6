import { ProviderError, readBounded } from '#openai';

/** Of a whole reply, or all events of a streamed one: many times the longest answer that is asked for. */
const LONGEST_REPLY_BYTES = 2 * 1_024 * 1_024;
/** Characters of a text; what is longer has ignored the limit of tokens. */
const LONGEST_TEXT = 100_000;
/** Shown behind a text that ended because it used up its tokens. */
const CUT_MARK = ' …';

interface Choice {
  readonly finish_reason?: unknown;
  readonly message?: unknown;
  readonly delta?: unknown;
}

/**
 * Reads what `POST /chat/completions` answers, and believes nothing: bounded length, text where text must be, and an end that is one.
 *
 * Messages repeat nothing that the service wrote.
 */
export class CompletionReader {
  private text = '';
  private isEnded = false;
  private isCut = false;

  private constructor(private readonly events: AsyncGenerator<string, void>) {}

  /** A reply that was not streamed. @throws ProviderError `malformed` */
  static async readWhole(response: Response): Promise<string> {
    const body = await readBounded(response, LONGEST_REPLY_BYTES);
    if (body === null) throw malformed('is too long');
    const choice = choiceOf(parse(body));
    const text = textOf(choice.message);
    assertUsable(text);
    return isCutOff(choice) ? `${text}${CUT_MARK}` : text;
  }

  /** A streamed reply; resolves with its first piece at hand. @throws ProviderError; whatever fetch throws */
  static async begin(response: Response): Promise<CompletionReader> {
    const reader = new CompletionReader(eventsOf(response));
    try {
      while (reader.text.trim() === '' && !reader.isEnded) await reader.readEvent();
      assertUsable(reader.text);
      return reader;
    } catch (error) {
      await reader.events.return(undefined);
      throw error;
    }
  }

  /** Hands on each piece, the first one included, and resolves with the whole text. @throws ProviderError; whatever fetch throws */
  async readRest(onPiece: (piece: string) => void): Promise<string> {
    let shown = 0;
    const show = (): void => {
      if (shown < this.text.length) onPiece(this.text.slice(shown));
      shown = this.text.length;
    };
    try {
      show();
      while (!this.isEnded) {
        await this.readEvent();
        show();
      }
    } finally {
      // Whoever throws in onPiece has left: the connection is cut.
      await this.events.return(undefined);
    }
    assertUsable(this.text);
    if (!this.isCut) return this.text;
    onPiece(CUT_MARK);
    return `${this.text}${CUT_MARK}`;
  }

  private async readEvent(): Promise<void> {
    const { value, done } = await this.events.next();
    // Some services end the connection behind the reason to finish, without a last word.
    if (done === true) throw new ProviderError('unavailable', 'The answer provider cut its answer');
    if (value === '[DONE]') {
      this.isEnded = true;
      return;
    }
    const event = parse(value);
    if (isObject(event) && Array.isArray(event['choices']) && event['choices'].length === 0) return;
    const choice = choiceOf(event);
    const piece = isObject(choice.delta) ? (choice.delta['content'] ?? '') : '';
    if (typeof piece !== 'string') throw malformed('has something else in the place of text');
    this.text += piece;
    if (this.text.length > LONGEST_TEXT) throw malformed('is too long');
    if (choice.finish_reason === undefined || choice.finish_reason === null) return;
    this.isCut = isCutOff(choice);
    this.isEnded = true;
  }
}

/** The data of each server-sent event, in order; several lines of one event are one text. */
async function* eventsOf(response: Response): AsyncGenerator<string, void> {
  if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true) throw malformed('is no stream of events');
  const decoder = new TextDecoder();
  let bytes = 0;
  let pending = '';
  let data: string[] = [];
  for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
    bytes += part.byteLength;
    if (bytes > LONGEST_REPLY_BYTES) throw malformed('is too long');
    pending += decoder.decode(part, { stream: true });
    const lines = pending.split(/\r?\n/);
    pending = lines.pop()!;
    for (const line of lines) {
      if (line.startsWith('data:')) data.push(line.slice('data:'.length).trim());
      else if (line === '' && data.length > 0) {
        yield data.join('\n');
        data = [];
      }
    }
  }
}

function choiceOf(reply: unknown): Choice {
  const choices = isObject(reply) ? reply['choices'] : undefined;
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined;
  if (!isObject(choice)) throw malformed('has no answer in it');
  if (choice['finish_reason'] === 'content_filter')
    throw new ProviderError('refused-request', 'The answer provider has filtered its answer');
  return choice;
}

function textOf(message: unknown): string {
  const content = isObject(message) ? message['content'] : undefined;
  if (typeof content !== 'string') throw malformed('has something else in the place of text');
  if (content.length > LONGEST_TEXT) throw malformed('is too long');
  return content;
}

function isCutOff({ finish_reason }: Choice): boolean {
  return finish_reason === 'length';
}

function assertUsable(text: string): void {
  if (text.trim() === '') throw malformed('is empty');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    // The parser's message quotes the text.
    throw malformed('is no JSON');
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(what: string): ProviderError {
  return new ProviderError('malformed', `The reply of the answer provider ${what}`);
}
