import { AnswersConfig } from '#config';
import { Clock } from '#kernel';
import type { FactoryProvider, Provider } from '@nestjs/common';
import { GuardedTextGenerator } from './guarded-text-generator.js';
import { OpenAiTextGenerator } from './openai-text-generator.js';
import { TextGenerator } from './text-generator.js';

const GUARDED_PROVIDER: FactoryProvider<GuardedTextGenerator | null> = {
  provide: GuardedTextGenerator,
  useFactory: ({ openAi }: AnswersConfig, clock: Clock) =>
    openAi === null ? null : new GuardedTextGenerator(new OpenAiTextGenerator({ ...openAi, clock }), clock),
  inject: [AnswersConfig, Clock],
};

/** The configured model, as what writes and as what can be told of; `null` = none is, and nobody is asked. */
export const TEXT_GENERATOR_PROVIDERS: readonly Provider[] = [
  GUARDED_PROVIDER,
  { provide: TextGenerator, useExisting: GuardedTextGenerator },
];
