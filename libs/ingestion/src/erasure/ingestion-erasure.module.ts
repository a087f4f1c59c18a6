import { ErasurePlaces } from '#erasure';
import { Module } from '@nestjs/common';
import { ImportsPlace } from './imports.place.js';

/** Staged files as a place of erasures, for every program that works on them. Needs the (global) database and erasure modules beside it. */
@Module({ providers: [ImportsPlace] })
export class IngestionErasureModule {
  constructor(places: ErasurePlaces, imports: ImportsPlace) {
    places.register(imports);
  }
}
