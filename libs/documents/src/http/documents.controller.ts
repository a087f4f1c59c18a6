import { ServerConfig } from '#config';
import { DomainError } from '#kernel';
import { acceptedErasureReply, ERASURE_ACCEPTED } from '#erasure';
import { Claim, Idempotent, type IdempotencyClaim, type IdempotentReply } from '#idempotency';
import {
  entityTagOf,
  ETAG_HEADER,
  expectedVersionsOf,
  IF_MATCH,
  IF_NONE_MATCH,
  isNotModified,
  noQuery,
  receiptQuerySchema,
  uuidText,
  writeQuerySchema,
  type ReceiptParameters,
  type WriteParameters,
} from '#rules';
import { CostsBy, elementsOf, RequiresScope, WithinCollections } from '#security';
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Post, Put, Query, Req, Res, UseGuards } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBody,
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiNotFoundResponse,
  ApiNotModifiedResponse,
  ApiOkResponse,
  ApiOperation,
  ApiPreconditionFailedResponse,
  ApiPreconditionRequiredResponse,
  ApiTags,
  ApiUnprocessableEntityResponse,
} from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { DocumentErasure } from '../document-erasure.js';
import type { Document } from '../document.js';
import type { DocumentPreconditions } from '../document.repository.js';
import { DocumentsService, type BatchItem, type WrittenDocumentReply } from '../documents.service.js';
import { CollectionAccessGuard, visibleCollectionsOf } from './collection-access.guard.js';
import {
  DELETE_DOCUMENTS_EXAMPLE,
  DELETED_DOCUMENTS_EXAMPLE,
  DOCUMENT_BATCH_EXAMPLE,
  DOCUMENT_BATCH_REPLY_EXAMPLE,
  DOCUMENT_BODY_EXAMPLE,
  DOCUMENT_EXAMPLE,
  DOCUMENT_INDEX_STATUS_EXAMPLE,
  DOCUMENT_PAGE_EXAMPLE,
  DOCUMENT_PATCH_EXAMPLE,
  WRITTEN_DOCUMENT_EXAMPLE,
} from './document.examples.js';
import {
  deletedDocumentsSchema,
  deleteDocumentsSchema,
  documentBatchReplySchema,
  documentBatchSchema,
  documentBodySchema,
  documentIndexStatusSchema,
  documentListQueryOf,
  documentListQuerySchema,
  documentPageSchema,
  documentPatchSchema,
  documentSchema,
  writtenDocumentSchema,
  type DeleteDocuments,
  type DocumentBatch,
  type DocumentBatchReply,
  type DocumentBody,
  type DocumentListParameters,
  type DocumentPatchBody,
} from './document.schemas.js';

const PATH = 'api/v1/documents';
const BODY = { schema: {}, examples: { faq: { summary: 'A question and its answer', value: DOCUMENT_BODY_EXAMPLE } } };
const MISSING = { description: 'No such document' };
const TAKEN = { description: 'Another document of the collection has this external_id' };
const UNPROCESSABLE = { description: 'The collection does not exist, or declares a key of metadata with another type' };
const STALE = { description: 'The document has another version' };
const IF_MATCH_REQUIRED = { description: 'If-Match is missing and this deployment requires it' };

/** Documents as a resource. */
@ApiTags('documents')
@RequiresScope('read', 'write')
@UseGuards(CollectionAccessGuard)
@Controller(PATH)
export class DocumentsController {
  constructor(
    private readonly documents: DocumentsService,
    private readonly erasure: DocumentErasure,
    private readonly config: ServerConfig,
  ) {}

  @WithinCollections('body')
  @Post()
  @Idempotent()
  @ApiOperation({
    operationId: 'createDocument',
    summary: 'Create a document',
    description: 'Stores the document with its chunks in one transaction. It is searchable a moment later: see index_state.',
  })
  @ApiBody(BODY)
  @ApiCreatedResponse({
    description: 'Created',
    standardSchema: writtenDocumentSchema,
    example: WRITTEN_DOCUMENT_EXAMPLE,
    headers: { ...ETAG_HEADER, Location: { description: 'Path of the new document', schema: { type: 'string' } } },
  })
  @ApiConflictResponse(TAKEN)
  @ApiUnprocessableEntityResponse(UNPROCESSABLE)
  async create(
    @Body({ schema: documentBodySchema }) body: DocumentBody,
    @Query({ schema: writeQuerySchema }) query: WriteParameters,
    @Claim() claim: IdempotencyClaim | null,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const written = await this.documents.create(body, { ...writeOptionsOf(query), within: claim?.keeping(createdReplyOf) });
    reply.header('location', locationOf(written.document));
    return writtenReply(written, reply);
  }

  @CostsBy(elementsOf('documents'))
  @WithinCollections('documents')
  @Post('batch')
  @HttpCode(200)
  @Idempotent()
  @ApiOperation({
    operationId: 'upsertDocuments',
    summary: 'Create or replace up to 100 documents',
    description:
      'By external_id within the collection; documents without one are created. What equals the stored document is left untouched. Each has a result of its own: one that names no collection, has metadata of another type than the collection declares, or an external_id that is earlier in the batch, does not hold up the others. A body that breaks the rules of the fields is refused as a whole, with 400, and nothing is written.',
  })
  @ApiBody({ schema: {}, examples: { one: { summary: 'One document', value: DOCUMENT_BATCH_EXAMPLE } } })
  @ApiOkResponse({ description: 'What became of each', standardSchema: documentBatchReplySchema, example: DOCUMENT_BATCH_REPLY_EXAMPLE })
  async upsertBatch(
    @Body({ schema: documentBatchSchema }) body: DocumentBatch,
    @Query({ schema: noQuery }) _query: unknown,
    @Claim() claim: IdempotencyClaim | null,
  ): Promise<DocumentBatchReply> {
    const within = claim?.keeping((items: BatchItem[]) => ({ status: 200, headers: {}, body: batchReplyOf(items) }));
    return batchReplyOf(await this.documents.upsertBatch(body.documents, within));
  }

  @CostsBy(elementsOf('ids'))
  @Post('delete')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'deleteDocuments',
    summary: 'Delete up to 1,000 documents',
    description: 'Those that exist; the reply says which did not.',
  })
  @ApiBody({ schema: {}, examples: { one: { summary: 'One document', value: DELETE_DOCUMENTS_EXAMPLE } } })
  @ApiOkResponse({ description: 'How many were deleted', standardSchema: deletedDocumentsSchema, example: DELETED_DOCUMENTS_EXAMPLE })
  async deleteBatch(@Body({ schema: deleteDocumentsSchema }) { ids }: DeleteDocuments, @Query({ schema: noQuery }) _query: unknown) {
    const deleted = new Set(await this.documents.deleteAll(ids));
    return { deleted: deleted.size, not_found: [...new Set(ids)].filter((id) => !deleted.has(id)) };
  }

  @WithinCollections('query')
  @Get()
  @ApiOperation({
    operationId: 'listDocuments',
    summary: 'List documents',
    description: 'Filtered, sorted pages. Documents written meanwhile neither repeat nor vanish; follow next_cursor until it is null.',
  })
  @ApiOkResponse({ description: 'A page', standardSchema: documentPageSchema, example: DOCUMENT_PAGE_EXAMPLE })
  @ApiUnprocessableEntityResponse({ description: 'The collection does not exist' })
  async list(@Query({ schema: documentListQuerySchema }) query: DocumentListParameters) {
    const { items, nextCursor } = await this.documents.list(documentListQueryOf(query));
    return { items, next_cursor: nextCursor };
  }

  @WithinCollections('document')
  @Get(':id')
  @ApiOperation({
    operationId: 'getDocument',
    summary: 'Read a document',
    description: 'With its ETag; with If-None-Match 304 when it is still the same.',
  })
  @ApiHeader(IF_NONE_MATCH)
  @ApiOkResponse({ description: 'The document', standardSchema: documentSchema, example: DOCUMENT_EXAMPLE, headers: ETAG_HEADER })
  @ApiNotModifiedResponse({ description: 'Unchanged', headers: ETAG_HEADER })
  @ApiNotFoundResponse(MISSING)
  async get(
    @Param('id', { schema: uuidText }) id: string,
    @Query({ schema: noQuery }) _query: unknown,
    @Headers('If-None-Match') ifNoneMatch: string | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Document | undefined> {
    const document = await this.documents.get(id, visibleCollectionsOf(request));
    reply.header('etag', entityTagOf(document.version));
    if (!isNotModified(ifNoneMatch, document.version)) return document;
    reply.status(304);
    return undefined;
  }

  @WithinCollections('document', 'body')
  @Put(':id')
  @ApiOperation({
    operationId: 'replaceDocument',
    summary: 'Replace a document',
    description: 'Writes the whole document; what is absent becomes null or empty. Never creates.',
  })
  @ApiHeader(IF_MATCH)
  @ApiBody(BODY)
  @ApiOkResponse({
    description: 'Replaced',
    standardSchema: writtenDocumentSchema,
    example: { ...WRITTEN_DOCUMENT_EXAMPLE, version: 2 },
    headers: ETAG_HEADER,
  })
  @ApiNotFoundResponse(MISSING)
  @ApiConflictResponse(TAKEN)
  @ApiUnprocessableEntityResponse(UNPROCESSABLE)
  @ApiPreconditionFailedResponse(STALE)
  @ApiPreconditionRequiredResponse(IF_MATCH_REQUIRED)
  async replace(
    @Param('id', { schema: uuidText }) id: string,
    @Body({ schema: documentBodySchema }) body: DocumentBody,
    @Query({ schema: writeQuerySchema }) query: WriteParameters,
    @Headers('If-Match') ifMatch: string | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const expected = this.preconditionsOf(request, ifMatch);
    return writtenReply(await this.documents.replace(id, body, { ...writeOptionsOf(query), expected }), reply);
  }

  @WithinCollections('document', 'body if named')
  @Patch(':id')
  @ApiOperation({
    operationId: 'patchDocument',
    summary: 'Change some fields of a document',
    description:
      'A merge patch (RFC 7396) of the fields: absent ones stay, null clears one; metadata are replaced as a whole. Only chunks that differ are embedded again.',
  })
  @ApiHeader(IF_MATCH)
  @ApiBody({ schema: {}, examples: { title: { summary: 'New title, one more key', value: DOCUMENT_PATCH_EXAMPLE } } })
  @ApiOkResponse({
    description: 'Changed',
    standardSchema: writtenDocumentSchema,
    example: { ...WRITTEN_DOCUMENT_EXAMPLE, ...DOCUMENT_PATCH_EXAMPLE, version: 2 },
    headers: ETAG_HEADER,
  })
  @ApiNotFoundResponse(MISSING)
  @ApiConflictResponse(TAKEN)
  @ApiUnprocessableEntityResponse(UNPROCESSABLE)
  @ApiPreconditionFailedResponse(STALE)
  @ApiPreconditionRequiredResponse(IF_MATCH_REQUIRED)
  async patch(
    @Param('id', { schema: uuidText }) id: string,
    @Body({ schema: documentPatchSchema }) body: DocumentPatchBody,
    @Query({ schema: writeQuerySchema }) query: WriteParameters,
    @Headers('If-Match') ifMatch: string | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const expected = this.preconditionsOf(request, ifMatch);
    return writtenReply(await this.documents.patch(id, body, { ...writeOptionsOf(query), expected }), reply);
  }

  @WithinCollections('document')
  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'deleteDocument',
    summary: 'Delete a document',
    description:
      'Searches stop showing it at once; the points of its chunks leave the index a moment later. With receipt=true everything made from it is erased, chats that cite it included, and proven to be gone.',
  })
  @ApiHeader(IF_MATCH)
  @ApiNoContentResponse({ description: 'Deleted' })
  @ApiAcceptedResponse(ERASURE_ACCEPTED)
  @ApiNotFoundResponse(MISSING)
  @ApiPreconditionFailedResponse(STALE)
  @ApiPreconditionRequiredResponse(IF_MATCH_REQUIRED)
  async delete(
    @Param('id', { schema: uuidText }) id: string,
    @Query({ schema: receiptQuerySchema }) { receipt }: ReceiptParameters,
    @Headers('If-Match') ifMatch: string | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const expected = this.preconditionsOf(request, ifMatch);
    if (receipt === 'true') {
      // It tells of all that cites the document, in other collections too.
      if (expected.collections !== null) throw new DomainError('access.collections-only');
      return acceptedErasureReply(await this.erasure.erase(id, expected.versions), reply);
    }
    await this.documents.delete(id, expected);
    return undefined;
  }

  @WithinCollections('document')
  @Get(':id/index-status')
  @ApiOperation({
    operationId: 'getDocumentIndexStatus',
    summary: 'Where a document stands on its way into the index',
    description: 'Counts of its chunks in the generation that serves searches.',
  })
  @ApiOkResponse({ description: 'The state', standardSchema: documentIndexStatusSchema, example: DOCUMENT_INDEX_STATUS_EXAMPLE })
  @ApiNotFoundResponse(MISSING)
  async indexStatus(@Param('id', { schema: uuidText }) id: string, @Query({ schema: noQuery }) _query: unknown) {
    const { document, state, chunks, chunkingError } = await this.documents.indexStatus(id);
    const { version, chunked_version } = document;
    return { id: document.id, state, row_version: version, chunked_version, chunks, chunking_error: chunkingError };
  }

  /** The guard has looked at the document before; by the time it is written another writer may have moved it. */
  private preconditionsOf(request: FastifyRequest, ifMatch: string | undefined): DocumentPreconditions {
    return { versions: expectedVersionsOf(ifMatch, this.config.isIfMatchRequired), collections: visibleCollectionsOf(request) };
  }
}

function writeOptionsOf(query: WriteParameters) {
  return { waitForIndexMs: query.wait_for_index_ms ?? 0 };
}

function locationOf({ id }: Document): string {
  return `/${PATH}/${id}`;
}

/** What can be said at the moment of the commit. */
function createdReplyOf(document: Document): IdempotentReply {
  return {
    status: 201,
    headers: { location: locationOf(document), etag: entityTagOf(document.version) },
    body: { ...document, index_state: 'pending' },
  };
}

function writtenReply({ document, indexState }: WrittenDocumentReply, reply: FastifyReply) {
  reply.header('etag', entityTagOf(document.version));
  return { ...document, index_state: indexState };
}

const STATUS_OF_OUTCOME = { inserted: 'created', updated: 'updated', unchanged: 'unchanged', failed: 'failed' } as const;

function batchReplyOf(items: readonly BatchItem[]): DocumentBatchReply {
  const results = items.map((item, index) => ({
    index,
    status: STATUS_OF_OUTCOME[item.outcome],
    id: item.outcome === 'failed' ? null : item.id,
    error: item.outcome === 'failed' ? { code: item.code, errors: [...item.problems] } : null,
  }));
  const count = (wanted: (typeof results)[number]['status']) => results.filter(({ status }) => status === wanted).length;
  return { results, created: count('created'), updated: count('updated'), unchanged: count('unchanged'), failed: count('failed') };
}
