import { Module } from '@nestjs/common';
import { SimilarityModule } from '../similarity.module.js';
import { SimilarProjectsController } from './similar-projects.controller.js';
import { SimilarityController } from './similarity.controller.js';

/** Similarity search over HTTP; for apps/api only. */
@Module({ imports: [SimilarityModule], controllers: [SimilarityController, SimilarProjectsController] })
export class SimilarityHttpModule {}
