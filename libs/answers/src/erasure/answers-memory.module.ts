import { ProcessMemory } from '#erasure';
import { Module } from '@nestjs/common';
import { AnswersModule } from '../answers.module.js';
import { AnswerCache } from '../generation/answer-cache.js';

/** Lets erasures empty what this process remembers of answers; for programs that give answers. */
@Module({ imports: [AnswersModule] })
export class AnswersMemoryModule {
  constructor(memory: ProcessMemory, cache: AnswerCache) {
    memory.register(() => cache.clear());
  }
}
