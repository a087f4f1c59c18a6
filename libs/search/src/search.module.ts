import { Module } from '@nestjs/common';
import { CandidateSearch } from './candidate-search.js';
import { HybridSearch } from './hybrid-search.js';
import { KeywordIndex } from './keyword/keyword-index.js';
import { ServingTargets } from './serving-targets.js';

/** What every search over an index shares. Needs the (global) configuration, database, vector store and sync modules beside it. */
@Module({
  providers: [CandidateSearch, HybridSearch, KeywordIndex, ServingTargets],
  exports: [CandidateSearch, HybridSearch, KeywordIndex, ServingTargets],
})
export class SearchModule {}
