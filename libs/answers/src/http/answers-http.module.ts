import { DocumentsModule } from '#documents';
import { Module } from '@nestjs/common';
import { AnswersModule } from '../answers.module.js';
import { ChatController } from './chat.controller.js';
import { QueryController } from './query.controller.js';
import { QueryStatsController } from './query-stats.controller.js';

/** Questions to documents over HTTP; for apps/api only. */
@Module({ imports: [AnswersModule, DocumentsModule], controllers: [QueryController, QueryStatsController, ChatController] })
export class AnswersHttpModule {}
