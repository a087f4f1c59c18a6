import { ServerConfig } from '#config';
import { acceptedErasureReply, ERASURE_ACCEPTED } from '#erasure';
import { Claim, Idempotent, type IdempotencyClaim, type IdempotentReply } from '#idempotency';
import { DomainError } from '#kernel';
import {
  ETAG_HEADER,
  deleteQuerySchema,
  IF_MATCH,
  IF_NONE_MATCH,
  entityTagOf,
  expectedVersionsOf,
  isNotModified,
  noQuery,
  uuidText,
  writeConditionOf,
  writeQuerySchema,
  type DeleteParameters,
  type WriteParameters,
} from '#rules';
import { CostsBy, elementsOf, RequiresScope } from '#security';
import { CONSISTENCY_TOKEN_HEADER, encodeConsistencyToken } from '#sync';
import { Body, Controller, Delete, Get, Headers, HttpCode, Param, Patch, Post, Put, Query, Res } from '@nestjs/common';
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
  ApiParam,
  ApiPreconditionFailedResponse,
  ApiPreconditionRequiredResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { ProjectErasure } from '../project-erasure.js';
import type { Project, ProjectFields, ProjectPatch } from '../project.js';
import { ProjectsService, type ProjectIndexStatus, type WriteOutcome, type WrittenProject } from '../projects.service.js';
import { listQueryOf, projectListQuerySchema, type ProjectListParameters } from './project-query.schemas.js';
import {
  CONSISTENCY_TOKEN_EXAMPLE,
  DELETE_PROJECTS_EXAMPLE,
  DELETED_PROJECTS_EXAMPLE,
  INDEX_STATUS_EXAMPLE,
  PROJECT_BODY_EXAMPLE,
  PROJECT_EXAMPLE,
  PROJECT_PAGE_EXAMPLE,
  PROJECT_PATCH_EXAMPLE,
  WRITTEN_PROJECT_EXAMPLE,
} from './project.examples.js';
import {
  DELETE_MAXIMUM,
  deletedProjectsSchema,
  deleteProjectsSchema,
  externalIdText,
  indexStatusSchema,
  projectBodySchema,
  projectPageSchema,
  projectPatchSchema,
  projectSchema,
  writtenProjectSchema,
  type DeleteProjectsRequest,
  type IndexStatusReply,
} from './project.schemas.js';

const PATH = 'api/v1/projects';
const TOKEN_HEADER = {
  [CONSISTENCY_TOKEN_HEADER]: {
    description:
      'Names this write: a search that sends it back waits for it and says whether it was seen. Missing only when the ledger did not answer in time',
    schema: { type: 'string' },
    example: CONSISTENCY_TOKEN_EXAMPLE,
  },
} as const;
const WRITE_HEADERS = { ...ETAG_HEADER, ...TOKEN_HEADER } as const;
const IF_NONE_MATCH_WRITE = {
  name: 'If-None-Match',
  required: false,
  description: '* = only create; an ETag = unless the row has this version; otherwise 412',
  schema: { type: 'string' },
  example: '*',
} as const;
/** The schema comes from the parameter's own; `{}` only satisfies the type of the decorator. */
const BODY = { schema: {}, examples: { kitchen: { summary: 'A kitchen', value: PROJECT_BODY_EXAMPLE } } };
const PATCH_BODY = { schema: {}, examples: { price: { summary: 'New price, wood no longer known', value: PROJECT_PATCH_EXAMPLE } } };

/** Projects as a resource. */
@ApiTags('projects')
@RequiresScope('read', 'write')
@Controller(PATH)
export class ProjectsController {
  constructor(
    private readonly projects: ProjectsService,
    private readonly erasure: ProjectErasure,
    private readonly config: ServerConfig,
  ) {}

  @Post()
  @Idempotent()
  @ApiOperation({
    operationId: 'createProject',
    summary: 'Create a project',
    description: 'Stores the row and marks it for the index in one transaction. It is searchable a moment later: see index_state.',
  })
  @ApiBody(BODY)
  @ApiCreatedResponse({
    description: 'Created',
    standardSchema: writtenProjectSchema,
    example: WRITTEN_PROJECT_EXAMPLE,
    headers: { ...WRITE_HEADERS, Location: { description: 'Path of the new row', schema: { type: 'string' } } },
  })
  @ApiConflictResponse({ description: 'external_id belongs to another project' })
  async create(
    @Body({ schema: projectBodySchema }) body: ProjectFields,
    @Query({ schema: writeQuerySchema }) query: WriteParameters,
    @Claim() claim: IdempotencyClaim | null,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const written = await this.projects.create(body, { ...writeOptionsOf(query), within: claim?.keeping(createdReplyOf) });
    reply.header('location', locationOf(written.project));
    return writtenReply(written, reply);
  }

  @Get()
  @ApiOperation({
    operationId: 'listProjects',
    summary: 'List projects',
    description: 'Filtered, sorted pages. Rows written meanwhile neither repeat nor vanish; follow next_cursor until it is null.',
  })
  @ApiOkResponse({ description: 'A page', standardSchema: projectPageSchema, example: PROJECT_PAGE_EXAMPLE })
  async list(@Query({ schema: projectListQuerySchema }) query: ProjectListParameters) {
    const { items, nextCursor } = await this.projects.list(listQueryOf(query));
    return { items, next_cursor: nextCursor };
  }

  @Get(':id')
  @ApiOperation({
    operationId: 'getProject',
    summary: 'Read a project',
    description: 'The row with its ETag; with If-None-Match 304 when it is still the same.',
  })
  @ApiHeader(IF_NONE_MATCH)
  @ApiOkResponse({ description: 'The row', standardSchema: projectSchema, example: PROJECT_EXAMPLE, headers: ETAG_HEADER })
  @ApiNotModifiedResponse({ description: 'Unchanged', headers: ETAG_HEADER })
  @ApiNotFoundResponse({ description: 'No such project' })
  async get(
    @Param('id', { schema: uuidText }) id: string,
    @Query({ schema: noQuery }) _query: unknown,
    @Headers('If-None-Match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<Project | undefined> {
    const project = await this.projects.get(id);
    reply.header('etag', entityTagOf(project.version));
    if (!isNotModified(ifNoneMatch, project.version)) return project;
    reply.status(304);
    return undefined;
  }

  @Put(':id')
  @ApiOperation({
    operationId: 'replaceProject',
    summary: 'Replace a project',
    description: 'Writes the whole row; what is absent becomes null or its default. Never creates.',
  })
  @ApiHeader(IF_MATCH)
  @ApiBody(BODY)
  @ApiOkResponse({
    description: 'Replaced',
    standardSchema: writtenProjectSchema,
    example: { ...WRITTEN_PROJECT_EXAMPLE, version: 2 },
    headers: WRITE_HEADERS,
  })
  @ApiNotFoundResponse({ description: 'No such project' })
  @ApiConflictResponse({ description: 'external_id belongs to another project' })
  @ApiPreconditionFailedResponse({ description: 'The row has another version' })
  @ApiPreconditionRequiredResponse({ description: 'If-Match is missing and this deployment requires it' })
  async replace(
    @Param('id', { schema: uuidText }) id: string,
    @Body({ schema: projectBodySchema }) body: ProjectFields,
    @Query({ schema: writeQuerySchema }) query: WriteParameters,
    @Headers('If-Match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return writtenReply(await this.projects.replace(id, body, this.conditionalOptionsOf(query, ifMatch)), reply);
  }

  @Put('by-external-id/:external_id')
  @ApiOperation({
    operationId: 'replaceProjectByExternalId',
    summary: 'Create or replace a project by its external id',
    description:
      'Writes the whole row that has this external id, or makes one: sending the same row twice leaves one row. external_id may be left out of the body.',
  })
  @ApiParam({ name: 'external_id', description: 'Id of the project in another system, percent-encoded', schema: { type: 'string' } })
  @ApiHeader(IF_MATCH)
  @ApiHeader(IF_NONE_MATCH_WRITE)
  @ApiBody(BODY)
  @ApiCreatedResponse({
    description: 'Created',
    standardSchema: writtenProjectSchema,
    example: { ...WRITTEN_PROJECT_EXAMPLE, external_id: 'offer-2041' },
    headers: { ...WRITE_HEADERS, Location: { description: 'Path of the new row', schema: { type: 'string' } } },
  })
  @ApiOkResponse({
    description: 'Replaced',
    standardSchema: writtenProjectSchema,
    example: { ...WRITTEN_PROJECT_EXAMPLE, external_id: 'offer-2041', version: 2 },
    headers: WRITE_HEADERS,
  })
  @ApiPreconditionFailedResponse({ description: 'The row that is there, or is not, does not meet If-Match or If-None-Match' })
  @ApiPreconditionRequiredResponse({ description: 'The row exists, there is no condition, and this deployment requires one' })
  async replaceByExternalId(
    @Param('external_id', { schema: externalIdText }) externalId: string,
    @Body({ schema: projectBodySchema }) body: ProjectFields,
    @Query({ schema: writeQuerySchema }) query: WriteParameters,
    @Headers('If-Match') ifMatch: string | undefined,
    @Headers('If-None-Match') ifNoneMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    assertSameExternalId(externalId, body.external_id);
    const { isCreated, ...written } = await this.projects.replaceByExternalId(externalId, body, {
      ...writeOptionsOf(query),
      condition: writeConditionOf(ifMatch, ifNoneMatch),
      isConditionRequired: this.config.isIfMatchRequired,
    });
    reply.status(isCreated ? 201 : 200);
    if (isCreated) reply.header('location', locationOf(written.project));
    return writtenReply(written, reply);
  }

  @CostsBy(elementsOf('ids'))
  @Post('delete')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'deleteProjects',
    summary: 'Delete many projects',
    description: `Deletes up to ${DELETE_MAXIMUM} rows in one statement; ids that no row has are named, and are no error. Searches stop showing the rows at once.`,
  })
  @ApiBody({ schema: {}, examples: { two: { summary: 'Two rows', value: DELETE_PROJECTS_EXAMPLE } } })
  @ApiOkResponse({ description: 'Deleted', standardSchema: deletedProjectsSchema, example: DELETED_PROJECTS_EXAMPLE })
  async deleteMany(@Body({ schema: deleteProjectsSchema }) { ids }: DeleteProjectsRequest, @Query({ schema: noQuery }) _query: unknown) {
    const { deletedCount, notFound } = await this.projects.deleteMany(ids);
    return { deleted: deletedCount, not_found: notFound };
  }

  @Patch(':id')
  @ApiOperation({
    operationId: 'patchProject',
    summary: 'Change some fields of a project',
    description: 'A merge patch (RFC 7396): absent fields stay, null clears a field; name and description cannot be cleared.',
  })
  @ApiHeader(IF_MATCH)
  @ApiBody(PATCH_BODY)
  @ApiOkResponse({
    description: 'Changed',
    standardSchema: writtenProjectSchema,
    example: { ...WRITTEN_PROJECT_EXAMPLE, ...PROJECT_PATCH_EXAMPLE, version: 2 },
    headers: WRITE_HEADERS,
  })
  @ApiNotFoundResponse({ description: 'No such project' })
  @ApiConflictResponse({ description: 'external_id belongs to another project' })
  @ApiPreconditionFailedResponse({ description: 'The row has another version' })
  @ApiPreconditionRequiredResponse({ description: 'If-Match is missing and this deployment requires it' })
  async patch(
    @Param('id', { schema: uuidText }) id: string,
    @Body({ schema: projectPatchSchema }) body: ProjectPatch,
    @Query({ schema: writeQuerySchema }) query: WriteParameters,
    @Headers('If-Match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    return writtenReply(await this.projects.patch(id, body, this.conditionalOptionsOf(query, ifMatch)), reply);
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    operationId: 'deleteProject',
    summary: 'Delete a project',
    description:
      'Searches stop showing it at once, because results are read from PostgreSQL; its point leaves the index a moment later. With receipt=true everything made from it is erased, and proven to be gone.',
  })
  @ApiHeader(IF_MATCH)
  @ApiNoContentResponse({ description: 'Deleted', headers: TOKEN_HEADER })
  @ApiAcceptedResponse(ERASURE_ACCEPTED)
  @ApiNotFoundResponse({ description: 'No such project' })
  @ApiPreconditionFailedResponse({ description: 'The row has another version' })
  @ApiPreconditionRequiredResponse({ description: 'If-Match is missing and this deployment requires it' })
  async delete(
    @Param('id', { schema: uuidText }) id: string,
    @Query({ schema: deleteQuerySchema }) { receipt, ...query }: DeleteParameters,
    @Headers('If-Match') ifMatch: string | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    if (receipt === 'true') {
      const { expected } = this.conditionalOptionsOf(query, ifMatch);
      return acceptedErasureReply(await this.erasure.erase(id, expected), reply);
    }
    addToken(await this.projects.delete(id, this.conditionalOptionsOf(query, ifMatch)), reply);
    return undefined;
  }

  @Get(':id/index-status')
  @ApiOperation({
    operationId: 'getProjectIndexStatus',
    summary: 'Where a project stands on its way into the index',
    description: 'Ledger state of the row in the generation that serves searches, with the last error if there was one.',
  })
  @ApiOkResponse({ description: 'The state', standardSchema: indexStatusSchema, example: INDEX_STATUS_EXAMPLE })
  @ApiNotFoundResponse({ description: 'No such project' })
  async indexStatus(@Param('id', { schema: uuidText }) id: string, @Query({ schema: noQuery }) _query: unknown): Promise<IndexStatusReply> {
    return indexStatusReply(await this.projects.indexStatus(id));
  }

  private conditionalOptionsOf(query: WriteParameters, ifMatch: string | undefined) {
    return { ...writeOptionsOf(query), expected: expectedVersionsOf(ifMatch, this.config.isIfMatchRequired) };
  }
}

function writeOptionsOf(query: WriteParameters) {
  return { waitForIndexMs: query.wait_for_index_ms ?? 0 };
}

function locationOf({ id }: Project): string {
  return `/${PATH}/${id}`;
}

/** What can be said at the moment of the commit. */
function createdReplyOf(project: Project): IdempotentReply {
  return {
    status: 201,
    headers: { location: locationOf(project), etag: entityTagOf(project.version) },
    body: { ...project, index_state: 'pending' },
  };
}

/** The id in the path decides; one in the body that differs is a mistake of the caller. */
function assertSameExternalId(path: string, body: string | null): void {
  if (body === null || body === path) return;
  const detail = 'must be left out, or the same as in the path';
  throw new DomainError('request.invalid', {
    detail: `/external_id ${detail}`,
    fields: [{ pointer: '/external_id', code: 'not-allowed', detail }],
  });
}

function writtenReply({ project, ...outcome }: WrittenProject, reply: FastifyReply) {
  reply.header('etag', entityTagOf(project.version));
  addToken(outcome, reply);
  return { ...project, index_state: outcome.indexState };
}

function addToken({ token }: WriteOutcome, reply: FastifyReply): void {
  if (token !== null) reply.header(CONSISTENCY_TOKEN_HEADER, encodeConsistencyToken(token));
}

/** A row that the ledger does not know yet has its whole way before it. */
function indexStatusReply({ project, entry }: ProjectIndexStatus): IndexStatusReply {
  return {
    id: project.id,
    state: entry?.state ?? 'pending',
    row_version: project.version,
    version: entry?.version ?? null,
    indexed_version: entry?.indexedVersion ?? null,
    attempts: entry?.attempts ?? 0,
    truncated: entry?.isTruncated ?? null,
    last_error: entry?.lastError ?? null,
    generation: entry === null ? null : String(entry.generationId),
  };
}
