import { SyncModule } from '#sync';
import { Module } from '@nestjs/common';
import { GenerationTargets } from './generation-targets.js';

/** What operators do, without HTTP. Needs the (global) sync module beside it. */
@Module({ imports: [SyncModule], providers: [GenerationTargets], exports: [GenerationTargets] })
export class AdminModule {}
