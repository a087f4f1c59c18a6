import { DocumentsModule } from '#documents';
import { SearchModule } from '#search';
import { Module } from '@nestjs/common';
import { ChatService } from './chat/chat.service.js';
import { ConversationRepository } from './chat/conversation.repository.js';
import { AnswerCache } from './generation/answer-cache.js';
import { AnswerService } from './generation/answer.service.js';
import { TEXT_GENERATOR_PROVIDER } from './generation/text-generator.provider.js';
import { QueryService } from './query.service.js';

/** Answers from documents for every program. Needs the (global) configuration, database, vector store and sync modules beside it. */
@Module({
  imports: [DocumentsModule, SearchModule],
  providers: [QueryService, AnswerService, AnswerCache, TEXT_GENERATOR_PROVIDER, ChatService, ConversationRepository],
  exports: [QueryService, AnswerService, AnswerCache, ChatService],
})
export class AnswersModule {}
