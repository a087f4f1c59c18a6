import { ProjectsModule } from '#projects';
import { SearchModule } from '#search';
import { Module } from '@nestjs/common';
import { SimilarityService } from './similarity.service.js';

/** Similarity search for every program. Needs the (global) database, vector store and sync modules beside it. */
@Module({ imports: [ProjectsModule, SearchModule], providers: [SimilarityService], exports: [SimilarityService] })
export class SimilarityModule {}
