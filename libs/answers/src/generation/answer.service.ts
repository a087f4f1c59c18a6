import { sha256OfParts } from '#kernel';
import { Inject, Injectable, type BeforeApplicationShutdown } from '@nestjs/common';
import type { Answer, Fallback } from '../answer.js';
import { citationOf, extractiveAnswer } from '../extractive-answer.js';
import { nothingFound } from '../nothing-found.js';
import { oneLine } from '../one-line.js';
import type { Passage } from '../query.js';
import { AnswerCache } from './answer-cache.js';
import { checkAnswer } from './check-answer.js';
import type { CheckedText } from './citations.js';
import { GeneratorError } from './generator-error.js';
import { NOT_IN_PASSAGES, saysNotInPassages, withholdingIt } from './not-in-passages.js';
import { buildPrompt, type Prompt, type PromptTurn } from './prompt.js';
import { TextGenerator } from './text-generator.js';

export interface AnswerRequest {
  readonly question: string;
  /** What the passages were looked for with; default: the question. */
  readonly searched?: string | undefined;
  /** Best first; only these may be cited. */
  readonly passages: readonly Passage[];
  /** What was said before, oldest first; an answer that depends on it is not remembered. */
  readonly conversation?: readonly PromptTurn[] | undefined;
  /** Of the index that found the passages; `null` = none did. */
  readonly generation: string | null;
  /** Whether something less than the index found them: such an answer is not remembered. */
  readonly isDegraded: boolean;
  /** Called with each piece of a generated text as it is written, before it was checked: what is returned stands in its place. */
  readonly onPiece?: ((piece: string) => void) | undefined;
  readonly signal: AbortSignal;
}

/** The model has cited nothing that was found: what it says cannot be checked. */
class NotCitedError extends Error {}

/**
 * Answers a question from passages: by a model where one is configured, whose citations are checked, else in the passages' own words.
 */
@Injectable()
export class AnswerService implements BeforeApplicationShutdown {
  private readonly closing = new AbortController();

  constructor(
    @Inject(TextGenerator) private readonly generator: TextGenerator | null,
    private readonly cache: AnswerCache,
  ) {}

  /** A server waits for its replies: those under way are given in the passages' own words. */
  beforeApplicationShutdown(): void {
    this.closing.abort(new GeneratorError('The process is stopping', { isOutage: false }));
  }

  /** Gives an answer whether or not the model does. @throws the signal's reason when it is aborted; a defect, which no answer should hide */
  async answer(request: AnswerRequest): Promise<Answer> {
    const { question, searched = question, passages } = request;
    request.signal.throwIfAborted();
    if (this.generator === null || passages.length === 0) return extractiveAnswer(searched, passages);
    try {
      const { text, numbers } = await this.write(this.generator, request);
      const citations = numbers.map((number) => citationOf(passages[number - 1]!, number));
      return { text, mode: 'generated', citations, model: this.generator.model };
    } catch (error) {
      request.signal.throwIfAborted();
      return { ...extractiveAnswer(searched, passages), fallback: fallbackOf(error) };
    }
  }

  private async write(generator: TextGenerator, request: AnswerRequest): Promise<CheckedText> {
    const { question, passages, conversation = [], generation, isDegraded, onPiece } = request;
    // Two spellings that read alike are one question.
    const prompt = buildPrompt(oneLine(question.normalize('NFC')), passages, conversation);
    const signal = AbortSignal.any([request.signal, this.closing.signal]);
    const run = (by: AbortSignal) => this.generate(generator, prompt, request, by);
    if (isDegraded || conversation.length > 0) return run(signal);
    const key = sha256OfParts(generation ?? '', generator.model, ...prompt.messages.map(({ content }) => content)).toString('base64');
    if (onPiece === undefined) return this.cache.get(key, run, signal);
    let isWritten = false;
    const written = await this.cache.getAlone(key, () => {
      isWritten = true;
      return run(signal);
    });
    if (!isWritten) onPiece(written.text);
    return written;
  }

  private async generate(
    generator: TextGenerator,
    { messages, passageCount }: Prompt,
    { question, onPiece }: AnswerRequest,
    signal: AbortSignal,
  ): Promise<CheckedText> {
    const written = await generator.generate(messages, { onPiece: onPiece && withholdingIt(onPiece), signal });
    const checked = checkAnswer(written, passageCount);
    if (saysNotInPassages(checked)) return { text: nothingFound(question), numbers: [] };
    if (checked.numbers.length === 0) throw new NotCitedError('The model has cited none of the passages');
    return { ...checked, text: checked.text.replaceAll(NOT_IN_PASSAGES, '…') };
  }
}

function fallbackOf(error: unknown): Fallback {
  if (error instanceof NotCitedError) return 'not_cited';
  if (error instanceof GeneratorError) return 'provider_unavailable';
  throw error;
}
