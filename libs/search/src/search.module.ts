import { Module } from '@nestjs/common';
import { CandidateSearch } from './candidate-search.js';
import { HybridSearch } from './hybrid-search.js';
import { KeywordModule } from './keyword/keyword.module.js';
import { ServingTargets } from './serving-targets.js';

/** What every search over an index shares. Needs the (global) configuration, database, vector store and sync modules beside it. */
@Module({
  imports: [KeywordModule],
  providers: [CandidateSearch, HybridSearch, ServingTargets],
  exports: [CandidateSearch, HybridSearch, KeywordModule, ServingTargets],
})
export class SearchModule {}
