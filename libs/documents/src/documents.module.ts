import { KeywordModule } from '#search';
import { IndexSourceRegistry } from '#sync';
import { Module } from '@nestjs/common';
import { ChunkDeriver } from './chunk-deriver.js';
import { ChunkRepository } from './chunk.repository.js';
import { ChunkSearchRepository } from './chunk-search.repository.js';
import { CollectionRepository } from './collection.repository.js';
import { CollectionsService } from './collections.service.js';
import { DocumentChunker } from './document-chunker.js';
import { DocumentIndexSource } from './document-index-source.js';
import { DocumentRepository } from './document.repository.js';
import { DocumentUpdater } from './document-updater.js';
import { DocumentWriter } from './document-writer.js';
import { DocumentsService } from './documents.service.js';

const REPOSITORIES = [ChunkRepository, ChunkSearchRepository, CollectionRepository, DocumentRepository];
const SERVICES = [CollectionsService, DocumentsService, DocumentWriter];

/** Documents for every program: api, worker and command line. Needs the (global) database and sync modules beside it. */
@Module({
  imports: [KeywordModule],
  providers: [...REPOSITORIES, ...SERVICES, DocumentUpdater, DocumentChunker, DocumentIndexSource, ChunkDeriver],
  exports: [...REPOSITORIES, ...SERVICES, ChunkDeriver],
})
export class DocumentsModule {
  /** In the constructor: all sources are known before the engine starts in a lifecycle hook. */
  constructor(registry: IndexSourceRegistry, source: DocumentIndexSource) {
    registry.register(source);
  }
}
