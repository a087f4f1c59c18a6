import { CollectionRepository } from '#documents';
import { Clock, DomainError } from '#kernel';
import { noQuery } from '#rules';
import { ApiKeys, KeyDirectory, type NewKey, type Scope } from '#security';
import { Body, Delete, Get, HttpCode, Param, Post, Query, Req, Res } from '@nestjs/common';
import {
  ApiBody,
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiNoContentResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiUnprocessableEntityResponse,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { AdminController, adminPath } from './admin-route.js';
import {
  CREATE_KEY_EXAMPLES,
  createKeySchema,
  KEY_EXAMPLE,
  keyId,
  keyListSchema,
  keyReplyOf,
  keyRequestOf,
  NEW_KEY_EXAMPLE,
  newKeySchema,
  overlapOf,
  rotateKeySchema,
  type CreateKeyBody,
  type RotateKeyBody,
} from './keys.schemas.js';

const LOCATION = { Location: { description: 'Path of the keys', schema: { type: 'string' } } } as const;

/** API keys. A key is in the reply that makes it and nowhere else. */
@AdminController('keys')
export class KeysController {
  constructor(
    private readonly keys: ApiKeys,
    private readonly directory: KeyDirectory,
    private readonly collections: CollectionRepository,
    private readonly clock: Clock,
  ) {}

  @Get()
  @ApiOperation({
    operationId: 'listKeys',
    summary: 'List API keys',
    description: 'Newest first, with those that have ended. What they open is shown, never the keys themselves.',
  })
  @ApiOkResponse({ description: 'All of them', standardSchema: keyListSchema, example: { items: [KEY_EXAMPLE] } })
  async list(@Query({ schema: noQuery }) _query: unknown) {
    const now = this.clock.now();
    return { items: (await this.keys.list()).map((key) => keyReplyOf(key, now)) };
  }

  @Post()
  @ApiOperation({
    operationId: 'createKey',
    summary: 'Make an API key',
    description: 'The reply holds the key, this once: only a digest is stored. A key can give another one no scope that it lacks itself.',
  })
  @ApiBody({ schema: {}, examples: CREATE_KEY_EXAMPLES })
  @ApiCreatedResponse({ description: 'Made', standardSchema: newKeySchema, example: NEW_KEY_EXAMPLE, headers: LOCATION })
  @ApiUnprocessableEntityResponse({ description: 'A collection does not exist' })
  async create(
    @Body({ schema: createKeySchema }) body: CreateKeyBody,
    @Query({ schema: noQuery }) _query: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    this.checkScopes(body.scopes, request);
    const collections = body.collections === undefined ? null : await this.idsOf(body.collections);
    return this.shown(await this.keys.create(keyRequestOf(body, collections)), reply);
  }

  @Post(':id/rotate')
  @HttpCode(201)
  @ApiOperation({
    operationId: 'rotateKey',
    summary: 'Replace an API key',
    description: 'Makes a key that may do the same. The old one goes on for the overlap, so that clients can change over without a gap.',
  })
  @ApiBody({ schema: {}, required: false, examples: { hour: { summary: 'An hour to change over', value: { overlap_seconds: 3600 } } } })
  @ApiCreatedResponse({
    description: 'The new key',
    standardSchema: newKeySchema,
    example: { ...NEW_KEY_EXAMPLE, replaces: '0a1b2c3d4e5f' },
    headers: LOCATION,
  })
  @ApiNotFoundResponse({ description: 'No such key' })
  @ApiConflictResponse({ description: 'It was revoked, or has expired' })
  async rotate(
    @Param('id', { schema: keyId }) id: string,
    @Body({ schema: rotateKeySchema.prefault({}) }) body: RotateKeyBody,
    @Query({ schema: noQuery }) _query: unknown,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const old = await this.keys.find(id);
    if (old === null) throw new DomainError('keys.not-found');
    this.checkScopes(old.scopes, request);
    const made = await this.keys.rotate(id, overlapOf(body));
    this.directory.clear();
    return this.shown(made, reply);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'revokeKey',
    summary: 'Revoke an API key',
    description: 'It ends in this process at once, in others within five seconds. Revoking it again changes nothing.',
  })
  @ApiNoContentResponse({ description: 'It is revoked' })
  @ApiNotFoundResponse({ description: 'No such key' })
  async revoke(@Param('id', { schema: keyId }) id: string, @Query({ schema: noQuery }) _query: unknown): Promise<void> {
    await this.keys.revoke(id);
    this.directory.clear();
  }

  private checkScopes(scopes: readonly Scope[], { caller }: FastifyRequest): void {
    const missing = scopes.find((scope) => caller?.scopes.has(scope) !== true);
    if (missing === undefined) return;
    throw new DomainError('access.scope-missing', { detail: `A key without the scope ${missing} cannot give it to another one` });
  }

  private async idsOf(namesOrIds: readonly string[]): Promise<string[]> {
    const found = await this.collections.findAll(namesOrIds);
    return namesOrIds.map((nameOrId, index) => {
      const collection = found.get(nameOrId);
      if (collection !== undefined) return collection.id;
      const fields = [{ pointer: `/collections/${index}`, code: 'unknown', detail: 'names no collection' }];
      throw new DomainError('collections.unknown', { fields });
    });
  }

  private shown({ key, text }: NewKey, reply: FastifyReply) {
    // No cache between here and the client may keep it.
    reply.header('location', adminPath('keys')).header('cache-control', 'no-store');
    return { ...keyReplyOf(key, this.clock.now()), key: text };
  }
}
