import { Module } from '@nestjs/common';
import { DocumentErasure } from '../document-erasure.js';
import { DocumentsModule } from '../documents.module.js';
import { CollectionsController } from './collections.controller.js';
import { DocumentsController } from './documents.controller.js';

/** Collections and documents over HTTP; for apps/api only. */
@Module({ imports: [DocumentsModule], providers: [DocumentErasure], controllers: [CollectionsController, DocumentsController] })
export class DocumentsHttpModule {}
