import { Module } from '@nestjs/common';
import { CandidateSearch } from './candidate-search.js';
import { ServingTargets } from './serving-targets.js';

/** What every search over an index shares. Needs the (global) vector store and sync modules beside it. */
@Module({ providers: [CandidateSearch, ServingTargets], exports: [CandidateSearch, ServingTargets] })
export class SearchModule {}
