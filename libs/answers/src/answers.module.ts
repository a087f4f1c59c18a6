import { DocumentsModule } from '#documents';
import { SearchModule } from '#search';
import { Module } from '@nestjs/common';
import { QueryService } from './query.service.js';

/** Answers from documents for every program. Needs the (global) configuration, database, vector store and sync modules beside it. */
@Module({ imports: [DocumentsModule, SearchModule], providers: [QueryService], exports: [QueryService] })
export class AnswersModule {}
