import { Module } from '@nestjs/common';
import { ErasuresController } from './erasures.controller.js';

/** Receipts over HTTP; for apps/api only. */
@Module({ controllers: [ErasuresController] })
export class ErasureHttpModule {}
