import { Module } from '@nestjs/common';
import { KeywordIndex } from './keyword-index.js';

/** Rows by their words. Needs the (global) database module beside it, and nothing of vectors. */
@Module({ providers: [KeywordIndex], exports: [KeywordIndex] })
export class KeywordModule {}
