import { AnswersConfig } from '#config';
import { Clock } from '#kernel';
import type { FactoryProvider } from '@nestjs/common';
import { GuardedTextGenerator } from './guarded-text-generator.js';
import { OpenAiTextGenerator } from './openai-text-generator.js';
import { TextGenerator } from './text-generator.js';

/** The configured model; `null` = none is, and nobody is asked. */
export const TEXT_GENERATOR_PROVIDER: FactoryProvider<TextGenerator | null> = {
  provide: TextGenerator,
  useFactory: ({ openAi }: AnswersConfig, clock: Clock) =>
    openAi === null ? null : new GuardedTextGenerator(new OpenAiTextGenerator({ ...openAi, clock }), clock),
  inject: [AnswersConfig, Clock],
};
