import { noQuery, uuidText } from '#rules';
import { RequiresScope } from '#security';
import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import {
  ApiBody,
  ApiNoContentResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
  ApiUnprocessableEntityResponse,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ChatService } from '../chat/chat.service.js';
import {
  CHAT_FOLLOW_UP_EXAMPLE,
  CHAT_MESSAGE_EXAMPLE,
  CHAT_REPLY_EXAMPLE,
  CONVERSATION_EXAMPLE,
  LIMITED_CHAT_REPLY_EXAMPLE,
} from './chat.examples.js';
import {
  chatMessageSchema,
  chatReplySchema,
  conversationSchema,
  type ChatMessageBody,
  type ChatReplyBody,
  type ConversationBody,
} from './chat.schemas.js';
import { clientSignal, unlessGone } from './client-signal.js';

const MISSING = { description: 'No such conversation' };

/** Questions in a conversation. */
@ApiTags('chat')
@RequiresScope('read')
@Controller('api/chat')
export class ChatController {
  constructor(private readonly chat: ChatService) {}

  @Post('message')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'sendChatMessage',
    summary: 'Reply to a message from documents',
    description:
      'Answers every valid message with 200: written by a model where one is configured, else in sentences of the documents. While neither the index nor a copy of it can answer, words alone find the passages (`degraded`, source `keyword`); while PostgreSQL cannot either, the reply is a helpful text (`limited`, with `notice`). A message that names a collection which does not exist is not valid. What was said is kept and counts for the next message of the conversation.',
  })
  @ApiBody({
    schema: {},
    examples: {
      first: { summary: 'The first message', value: CHAT_MESSAGE_EXAMPLE },
      next: { summary: 'The next one', value: CHAT_FOLLOW_UP_EXAMPLE },
    },
  })
  @ApiOkResponse({
    description: 'The reply',
    standardSchema: chatReplySchema,
    examples: {
      normal: { summary: 'Something was found', value: CHAT_REPLY_EXAMPLE },
      limited: { summary: 'Nothing can be looked up at the moment', value: LIMITED_CHAT_REPLY_EXAMPLE },
    },
  })
  @ApiUnprocessableEntityResponse({ description: 'The collection does not exist' })
  async message(
    @Body({ schema: chatMessageSchema }) body: ChatMessageBody,
    @Query({ schema: noQuery }) _query: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<ChatReplyBody | null> {
    const signal = clientSignal(reply);
    const { message, conversation_id: conversationId = null, collection = null } = body;
    const said = await unlessGone(this.chat.reply({ message, conversationId, collection }, signal), signal);
    return said === null ? null : { ...said, citations: [...said.citations] };
  }

  @Get('conversations/:id')
  @ApiOperation({
    operationId: 'getConversation',
    summary: 'Read a conversation',
    description: 'The latest messages with their replies; a conversation is forgotten CHAT_HISTORY_DAYS after its last message.',
  })
  @ApiOkResponse({ description: 'The conversation', standardSchema: conversationSchema, example: CONVERSATION_EXAMPLE })
  @ApiNotFoundResponse(MISSING)
  async get(@Param('id', { schema: uuidText }) id: string, @Query({ schema: noQuery }) _query: unknown): Promise<ConversationBody> {
    const { messages, ...conversation } = await this.chat.read(id);
    return { ...conversation, messages: messages.map((message) => ({ ...message, citations: [...message.citations] })) };
  }

  @Delete('conversations/:id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'deleteConversation',
    summary: 'Delete a conversation',
    description: 'With all its messages. A reply that is still being made does not bring it back.',
  })
  @ApiNoContentResponse({ description: 'Deleted' })
  @ApiNotFoundResponse(MISSING)
  async delete(@Param('id', { schema: uuidText }) id: string, @Query({ schema: noQuery }) _query: unknown): Promise<void> {
    await this.chat.delete(id);
  }
}
