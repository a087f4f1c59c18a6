import { ProjectsModule } from '#projects';
import { Module } from '@nestjs/common';
import { CandidateSearch } from './candidate-search.js';
import { SimilarityService } from './similarity.service.js';

/** Similarity search for every program. Needs the (global) database, vector store and sync modules beside it. */
@Module({ imports: [ProjectsModule], providers: [CandidateSearch, SimilarityService], exports: [SimilarityService] })
export class SimilarityModule {}
