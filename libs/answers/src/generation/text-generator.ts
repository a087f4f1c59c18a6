export interface PromptMessage {
  readonly role: 'system' | 'user';
  readonly content: string;
}

export interface GenerateOptions {
  /** Called with each piece of the text as it arrives, in order; together the pieces are the text. Default: the text comes as a whole. */
  readonly onPiece?: ((piece: string) => void) | undefined;
  readonly signal: AbortSignal;
}

/** A model that writes text. */
export abstract class TextGenerator {
  /** Its name, for people and as a part of cache keys. */
  abstract readonly model: string;

  /**
   * Writes the text that follows the messages; never empty.
   *
   * @throws GeneratorError; the signal's reason when it is aborted
   */
  abstract generate(messages: readonly PromptMessage[], options: GenerateOptions): Promise<string>;
}
