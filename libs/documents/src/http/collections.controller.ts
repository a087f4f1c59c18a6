import { ServerConfig } from '#config';
import { Claim, Idempotent, type IdempotencyClaim, type IdempotentReply } from '#idempotency';
import { entityTagOf, ETAG_HEADER, expectedVersionsOf, IF_MATCH, noQuery } from '#rules';
import { RequiresScope, WithinCollections } from '#security';
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Post, Query, Req, Res, UseGuards } from '@nestjs/common';
import {
  ApiBody,
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiPreconditionFailedResponse,
  ApiPreconditionRequiredResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Collection, CollectionFields, CollectionPatch } from '../collection.js';
import { CollectionAccessGuard, visibleCollectionsOf } from './collection-access.guard.js';
import { CollectionsService } from '../collections.service.js';
import { collectionBodySchema, collectionListSchema, collectionPatchSchema, collectionSchema } from './collection.schemas.js';
import { COLLECTION_BODY_EXAMPLE, COLLECTION_EXAMPLE, COLLECTION_PATCH_EXAMPLE } from './document.examples.js';
import { collectionReference } from './document.rules.js';

const PATH = 'api/v1/collections';
const MISSING = { description: 'No such collection' };
const TAKEN = { description: 'Another collection has this name' };

/** Collections as a resource; each is named by its name or its id. */
@ApiTags('collections')
@RequiresScope('read', 'write')
@UseGuards(CollectionAccessGuard)
@Controller(PATH)
export class CollectionsController {
  constructor(
    private readonly collections: CollectionsService,
    private readonly config: ServerConfig,
  ) {}

  @Post()
  @Idempotent()
  @ApiOperation({
    operationId: 'createCollection',
    summary: 'Create a collection',
    description: 'A collection holds documents, and says how they are cut into chunks and which of their metadata filters may name.',
  })
  @ApiBody({ schema: {}, examples: { faq: { summary: 'Questions and answers', value: COLLECTION_BODY_EXAMPLE } } })
  @ApiCreatedResponse({
    description: 'Created',
    standardSchema: collectionSchema,
    example: COLLECTION_EXAMPLE,
    headers: { ...ETAG_HEADER, Location: { description: 'Path of the new collection', schema: { type: 'string' } } },
  })
  @ApiConflictResponse(TAKEN)
  async create(
    @Body({ schema: collectionBodySchema }) body: CollectionFields,
    @Query({ schema: noQuery }) _query: unknown,
    @Claim() claim: IdempotencyClaim | null,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Collection> {
    const collection = await this.collections.create(body, claim?.keeping(createdReplyOf));
    reply.header('location', locationOf(collection));
    return withTag(collection, reply);
  }

  @WithinCollections('reply')
  @Get()
  @ApiOperation({ operationId: 'listCollections', summary: 'List collections', description: 'All that the key may see, by name.' })
  @ApiOkResponse({ description: 'The collections', standardSchema: collectionListSchema, example: { items: [COLLECTION_EXAMPLE] } })
  async list(@Query({ schema: noQuery }) _query: unknown, @Req() request: FastifyRequest) {
    const all = await this.collections.list();
    const seen = visibleCollectionsOf(request);
    return { items: seen === null ? all : all.filter(({ id }) => seen.has(id)) };
  }

  @WithinCollections('path')
  @Get(':collection')
  @ApiOperation({ operationId: 'getCollection', summary: 'Read a collection', description: 'By name or id.' })
  @ApiOkResponse({ description: 'The collection', standardSchema: collectionSchema, example: COLLECTION_EXAMPLE, headers: ETAG_HEADER })
  @ApiNotFoundResponse(MISSING)
  async get(
    @Param('collection', { schema: collectionReference }) name: string,
    @Query({ schema: noQuery }) _query: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Collection> {
    return withTag(await this.collections.get(name), reply);
  }

  @Patch(':collection')
  @ApiOperation({
    operationId: 'patchCollection',
    summary: 'Change a collection',
    description:
      'A merge patch (RFC 7396). Another language, other chunk settings or other metadata keys make the chunks of all its documents anew.',
  })
  @ApiHeader(IF_MATCH)
  @ApiBody({ schema: {}, examples: { keys: { summary: 'One more key to filter by', value: COLLECTION_PATCH_EXAMPLE } } })
  @ApiOkResponse({
    description: 'Changed',
    standardSchema: collectionSchema,
    example: { ...COLLECTION_EXAMPLE, ...COLLECTION_PATCH_EXAMPLE, version: 2 },
    headers: ETAG_HEADER,
  })
  @ApiNotFoundResponse(MISSING)
  @ApiConflictResponse(TAKEN)
  @ApiPreconditionFailedResponse({ description: 'The collection has another version' })
  @ApiPreconditionRequiredResponse({ description: 'If-Match is missing and this deployment requires it' })
  async patch(
    @Param('collection', { schema: collectionReference }) name: string,
    @Body({ schema: collectionPatchSchema }) body: CollectionPatch,
    @Query({ schema: noQuery }) _query: unknown,
    @Headers('If-Match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Collection> {
    return withTag(await this.collections.patch(name, body, this.expectedOf(ifMatch)), reply);
  }

  @Delete(':collection')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'deleteCollection',
    summary: 'Delete a collection with its documents',
    description: 'Searches stop showing them at once; their points leave the index a moment later.',
  })
  @ApiHeader(IF_MATCH)
  @ApiNoContentResponse({ description: 'Deleted' })
  @ApiNotFoundResponse(MISSING)
  @ApiPreconditionFailedResponse({ description: 'The collection has another version' })
  @ApiPreconditionRequiredResponse({ description: 'If-Match is missing and this deployment requires it' })
  async delete(
    @Param('collection', { schema: collectionReference }) name: string,
    @Query({ schema: noQuery }) _query: unknown,
    @Headers('If-Match') ifMatch: string | undefined,
  ): Promise<void> {
    await this.collections.delete(name, this.expectedOf(ifMatch));
  }

  private expectedOf(ifMatch: string | undefined) {
    return expectedVersionsOf(ifMatch, this.config.isIfMatchRequired);
  }
}

function locationOf({ id }: Collection): string {
  return `/${PATH}/${id}`;
}

function createdReplyOf(collection: Collection): IdempotentReply {
  return { status: 201, headers: { location: locationOf(collection), etag: entityTagOf(collection.version) }, body: collection };
}

function withTag(collection: Collection, reply: FastifyReply): Collection {
  reply.header('etag', entityTagOf(collection.version));
  return collection;
}
