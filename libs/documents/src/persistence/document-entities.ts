import { ChunkEntity } from './chunk.entity.js';
import { CollectionEntity } from './collection.entity.js';
import { DocumentEntity } from './document.entity.js';

/** Entities of this lib, for the comparison of entities and migrations. */
export const DOCUMENT_ENTITIES = [CollectionEntity, DocumentEntity, ChunkEntity];
