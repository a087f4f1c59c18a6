import { ErasurePlaces } from '#erasure';
import { Module } from '@nestjs/common';
import { ConversationsPlace } from './conversations.place.js';

/** Chats as a place of erasures, for every program that works on them. Needs the (global) configuration, database and erasure modules beside it. */
@Module({ providers: [ConversationsPlace] })
export class AnswersErasureModule {
  constructor(places: ErasurePlaces, conversations: ConversationsPlace) {
    places.register(conversations);
  }
}
