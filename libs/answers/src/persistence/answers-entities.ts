import { ConversationEntity } from './conversation.entity.js';
import { ConversationMessageEntity } from './conversation-message.entity.js';

/** Entities of this lib, for the comparison of entities and migrations. */
export const ANSWERS_ENTITIES = [ConversationEntity, ConversationMessageEntity];
