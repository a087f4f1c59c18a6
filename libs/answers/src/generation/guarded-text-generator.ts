import { RepeatedMessages, type Clock } from '#kernel';
import { Logger } from '@nestjs/common';
import { GeneratorError } from './generator-error.js';
import { TextGenerator, type GenerateOptions, type PromptMessage } from './text-generator.js';

/** Outages in a row after which the service is left alone. */
const FAILURES_TO_OPEN = 3;
const OPEN_MS = 15_000;
/** A service may ask for more with Retry-After, within reason. */
const OPEN_MAXIMUM_MS = 300_000;
/** Texts that are written at a time; each may take as long as its time limit. Above what a page of people asks for, far below what would cost a fortune. */
const UNDER_WAY_MAXIMUM = 16;

export const GENERATOR_STATES = ['closed', 'open', 'half-open'] as const;
export type GeneratorState = (typeof GENERATOR_STATES)[number];

/** Counters since the start. */
export interface GeneratorStatistics {
  readonly state: GeneratorState;
  readonly asked: number;
  readonly failed: number;
  /** Not asked, because the service has just failed, or writes too much already. */
  readonly heldBack: number;
}

/**
 * Asks a service only as long as there is hope: after three outages in a row nobody waits for it, until one request per quarter of a minute has found it
 * well again; and never for more than sixteen texts at a time.
 */
export class GuardedTextGenerator extends TextGenerator {
  private readonly logger = new Logger('Answers');
  private readonly messages: RepeatedMessages;
  private failuresInARow = 0;
  /** `null` = closed. */
  private openUntilMs: number | null = null;
  private isProbing = false;
  private underWay = 0;
  private asked = 0;
  private failed = 0;
  private heldBack = 0;

  constructor(
    private readonly inner: TextGenerator,
    private readonly clock: Clock,
  ) {
    super();
    this.messages = new RepeatedMessages(clock);
  }

  get model(): string {
    return this.inner.model;
  }

  get state(): GeneratorState {
    if (this.openUntilMs === null) return 'closed';
    return this.isProbing ? 'half-open' : 'open';
  }

  async generate(messages: readonly PromptMessage[], options: GenerateOptions): Promise<string> {
    options.signal.throwIfAborted();
    const isProbe = this.admit();
    this.asked++;
    this.underWay++;
    try {
      const text = await this.inner.generate(messages, options);
      this.noteSuccess();
      return text;
    } catch (error) {
      if (error instanceof GeneratorError) this.noteFailure(error);
      throw error;
    } finally {
      this.underWay--;
      // Also when the caller has left: then the next one tries.
      if (isProbe) this.isProbing = false;
    }
  }

  stats(): GeneratorStatistics {
    const { state, asked, failed, heldBack } = this;
    return { state, asked, failed, heldBack };
  }

  /** @returns whether this is the request that finds out */
  private admit(): boolean {
    const isProbe = this.openUntilMs !== null;
    if (isProbe && (this.isProbing || this.clock.monotonicMs() < this.openUntilMs!)) {
      throw this.held('The answer provider is left alone: it has just failed');
    }
    if (this.underWay >= UNDER_WAY_MAXIMUM) throw this.held('The answer provider writes as many texts as it may');
    this.isProbing ||= isProbe;
    return isProbe;
  }

  private held(message: string): GeneratorError {
    this.heldBack++;
    return new GeneratorError(message, { isOutage: false });
  }

  private noteSuccess(): void {
    if (this.openUntilMs !== null) this.logger.log('The answer provider answers again');
    this.failuresInARow = 0;
    this.openUntilMs = null;
  }

  private noteFailure(error: GeneratorError): void {
    this.failed++;
    const message = this.messages.pass(error.message, `No generated answer: ${error.message}`);
    if (message !== null) this.logger.warn(message);
    const { isOutage, retryAfterMs = 0 } = error.options;
    if (!isOutage || (++this.failuresInARow < FAILURES_TO_OPEN && this.openUntilMs === null)) return;
    this.openUntilMs = this.clock.monotonicMs() + Math.min(Math.max(OPEN_MS, retryAfterMs), OPEN_MAXIMUM_MS);
  }
}
