import { DocumentsModule } from '#documents';
import { SearchModule } from '#search';
import { Module } from '@nestjs/common';
import { ChatService } from './chat/chat.service.js';
import { ConversationRepository } from './chat/conversation.repository.js';
import { AnswerCache } from './generation/answer-cache.js';
import { AnswerService } from './generation/answer.service.js';
import { GuardedTextGenerator } from './generation/guarded-text-generator.js';
import { TEXT_GENERATOR_PROVIDERS } from './generation/text-generator.provider.js';
import { QueryService } from './query.service.js';

/** Answers from documents for every program. Needs the (global) configuration, database, vector store and sync modules beside it. */
@Module({
  imports: [DocumentsModule, SearchModule],
  providers: [QueryService, AnswerService, AnswerCache, ...TEXT_GENERATOR_PROVIDERS, ChatService, ConversationRepository],
  exports: [QueryService, AnswerService, AnswerCache, GuardedTextGenerator, ChatService],
})
export class AnswersModule {}
