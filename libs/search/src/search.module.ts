import { Module } from '@nestjs/common';
import { CandidateSearch } from './candidate-search.js';
import { HybridSearch } from './hybrid-search.js';
import { ServingTargets } from './serving-targets.js';

/** What every search over an index shares. Needs the (global) configuration, vector store and sync modules beside it. */
@Module({ providers: [CandidateSearch, HybridSearch, ServingTargets], exports: [CandidateSearch, HybridSearch, ServingTargets] })
export class SearchModule {}
