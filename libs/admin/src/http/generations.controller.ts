import { Claim, Idempotent, type IdempotencyClaim, type IdempotentReply } from '#idempotency';
import { noQuery } from '#rules';
import { GenerationManager, type GenerationRecord } from '#sync';
import { Body, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBody,
  ApiConflictResponse,
  ApiCreatedResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiUnprocessableEntityResponse,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { GenerationTargets } from '../generation-targets.js';
import { emptyBodySchema, generationId } from './admin-rules.js';
import { AdminController, adminPath } from './admin-route.js';
import {
  CREATE_GENERATION_EXAMPLES,
  FORCE_EXAMPLES,
  GATE_RUNNING_EXAMPLE,
  GENERATION_DETAIL_EXAMPLE,
  GENERATION_EXAMPLE,
  GENERATION_PLAN_EXAMPLE,
  ROLLBACK_EXAMPLES,
} from './generations.examples.js';
import {
  createGenerationSchema,
  forceSchema,
  gateReportSchema,
  generationDetailSchema,
  generationListQuerySchema,
  generationListSchema,
  generationPlanSchema,
  generationSchema,
  rollbackSchema,
  type CreateGenerationRequest,
  type ForceRequest,
  type GenerationListParameters,
  type GenerationReply,
  type RollbackRequest,
} from './generations.schemas.js';
import { generationDetailOf, generationPlanOf, generationReplyOf } from './generations.view.js';

const LOCATION = { Location: { description: 'Path of the generation', schema: { type: 'string' } } } as const;

/** Generations of the index: build one beside the one that serves, prove it, let it serve, go back, end one. */
@AdminController('generations')
export class GenerationsController {
  constructor(
    private readonly generations: GenerationManager,
    private readonly targets: GenerationTargets,
  ) {}

  @Get()
  @ApiOperation({ operationId: 'listGenerations', summary: 'List generations', description: 'In the order of their creation.' })
  @ApiOkResponse({ description: 'All of them', standardSchema: generationListSchema, example: { items: [GENERATION_EXAMPLE] } })
  async list(@Query({ schema: generationListQuerySchema }) query: GenerationListParameters) {
    const records = await this.generations.list({ includeRetired: query.include_retired });
    return { items: records.map(generationReplyOf) };
  }

  @Get(':id')
  @ApiOperation({
    operationId: 'getGeneration',
    summary: 'Read a generation',
    description: 'With its progress, and the report of its latest gate: poll it while it is being built or a gate runs.',
  })
  @ApiOkResponse({ description: 'The generation', standardSchema: generationDetailSchema, example: GENERATION_DETAIL_EXAMPLE })
  @ApiNotFoundResponse({ description: 'No such generation' })
  async get(@Param('id', { schema: generationId }) id: number, @Query({ schema: noQuery }) _query: unknown) {
    const record = await this.generations.get(id);
    return generationDetailOf(record, await this.generations.progress(id));
  }

  @Post()
  @Idempotent()
  @ApiOperation({
    operationId: 'createGeneration',
    summary: 'Build a generation, or say what it would cost',
    description:
      'Creates a generation beside the one that serves; it fills by itself while searches go on with the old one. With dry_run it only counts, and embeds a sample for up to five seconds.',
  })
  @ApiBody({ schema: {}, examples: CREATE_GENERATION_EXAMPLES })
  @ApiCreatedResponse({
    description: 'It is being built',
    standardSchema: generationSchema,
    example: GENERATION_EXAMPLE,
    headers: LOCATION,
  })
  @ApiOkResponse({ description: 'dry_run: what it would cost', standardSchema: generationPlanSchema, example: GENERATION_PLAN_EXAMPLE })
  @ApiNotFoundResponse({ description: 'No such source' })
  @ApiConflictResponse({ description: 'One of this source is being built already' })
  @ApiUnprocessableEntityResponse({ description: 'The model cannot be used' })
  async create(
    @Body({ schema: createGenerationSchema }) { source, dry_run: isDryRun, embedder, reason }: CreateGenerationRequest,
    @Query({ schema: noQuery }) _query: unknown,
    @Claim() claim: IdempotencyClaim | null,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    if (isDryRun) {
      reply.status(200);
      return generationPlanOf(await this.generations.plan(source, embedder));
    }
    const record = await this.generations.create(source, embedder, reason ?? null, claim?.keeping(createdReplyOf));
    reply.header('location', locationOf(record));
    return generationReplyOf(record);
  }

  @Post('rollback')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'rollback',
    summary: 'Go back to the generation that served before',
    description: 'At once and without loss: a standby generation is written to all along. Without a body: of projects.',
  })
  @ApiBody({ schema: {}, required: false, examples: ROLLBACK_EXAMPLES })
  @ApiOkResponse({ description: 'The generation that serves now', standardSchema: generationSchema, example: GENERATION_EXAMPLE })
  @ApiNotFoundResponse({ description: 'No such generation or source' })
  @ApiConflictResponse({ description: 'There is nothing to go back to, or somebody else acts' })
  @ApiUnprocessableEntityResponse({ description: 'The generation is retired' })
  async rollback(
    @Body({ schema: rollbackSchema.prefault({}) }) body: RollbackRequest,
    @Query({ schema: noQuery }) _query: unknown,
  ): Promise<GenerationReply> {
    if (body.generation !== undefined) return generationReplyOf(await this.generations.rollback(body.generation));
    const { source } = await this.targets.resolve(body);
    return generationReplyOf(await this.generations.rollback({ source }));
  }

  @Post(':id/gate')
  @HttpCode(202)
  @Idempotent()
  @ApiOperation({
    operationId: 'startGate',
    summary: 'Find out whether a generation may serve',
    description:
      'Begins to compare the index of the generation with the rows. Poll the generation at Location until its gate is no longer running.',
  })
  @ApiBody({ schema: {}, required: false, examples: FORCE_EXAMPLES })
  @ApiAcceptedResponse({ description: 'Begun', standardSchema: gateReportSchema, example: GATE_RUNNING_EXAMPLE, headers: LOCATION })
  @ApiNotFoundResponse({ description: 'No such generation' })
  @ApiConflictResponse({ description: 'A gate of it is running' })
  @ApiUnprocessableEntityResponse({ description: 'The generation is retired' })
  async gate(
    @Param('id', { schema: generationId }) id: number,
    @Body({ schema: forceSchema.prefault({}) }) { force }: ForceRequest,
    @Query({ schema: noQuery }) _query: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const report = await this.generations.startGate(id, { isForced: force });
    reply.header('location', adminPath(`generations/${id}`));
    return report;
  }

  @Post(':id/switch')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'switchGeneration',
    summary: 'Let a generation serve',
    description:
      'In one transaction; the one that served becomes standby and is still written to. Unless a gate has passed within 15 minutes, one is run first, and the reply comes when it is over: begin it with /gate to see its progress.',
  })
  @ApiBody({ schema: {}, required: false, examples: FORCE_EXAMPLES })
  @ApiOkResponse({ description: 'It serves', standardSchema: generationSchema, example: GENERATION_EXAMPLE })
  @ApiNotFoundResponse({ description: 'No such generation' })
  @ApiConflictResponse({ description: 'It serves already, or somebody else acts' })
  @ApiUnprocessableEntityResponse({ description: 'The gate refuses, with all reasons; or the generation is retired' })
  async switchTo(
    @Param('id', { schema: generationId }) id: number,
    @Body({ schema: forceSchema.prefault({}) }) { force }: ForceRequest,
    @Query({ schema: noQuery }) _query: unknown,
  ): Promise<GenerationReply> {
    return generationReplyOf(await this.generations.switchTo(id, { isForced: force }));
  }

  @Post(':id/rollback')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'rollbackToGeneration',
    summary: 'Go back to this generation',
    description: 'As the rollback of a source, to a standby generation of your choice.',
  })
  @ApiBody({ schema: {}, required: false, examples: { empty: { summary: 'Nothing to say', value: {} } } })
  @ApiOkResponse({ description: 'It serves', standardSchema: generationSchema, example: GENERATION_EXAMPLE })
  @ApiNotFoundResponse({ description: 'No such generation' })
  @ApiConflictResponse({ description: 'It has never served, serves already, or somebody else acts' })
  @ApiUnprocessableEntityResponse({ description: 'The generation is retired' })
  async rollbackTo(
    @Param('id', { schema: generationId }) id: number,
    @Body({ schema: emptyBodySchema.prefault({}) }) _body: unknown,
    @Query({ schema: noQuery }) _query: unknown,
  ): Promise<GenerationReply> {
    return generationReplyOf(await this.generations.rollback(id));
  }

  @Post(':id/retire')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'retireGeneration',
    summary: 'End a generation, for good',
    description: 'It is no longer written to, and after the grace its collection and its entries are removed. Not for the one that serves.',
  })
  @ApiBody({ schema: {}, required: false, examples: { empty: { summary: 'Nothing to say', value: {} } } })
  @ApiOkResponse({ description: 'It is retired', standardSchema: generationSchema, example: GENERATION_EXAMPLE })
  @ApiNotFoundResponse({ description: 'No such generation' })
  @ApiConflictResponse({ description: 'It serves' })
  @ApiUnprocessableEntityResponse({ description: 'It is retired already' })
  async retire(
    @Param('id', { schema: generationId }) id: number,
    @Body({ schema: emptyBodySchema.prefault({}) }) _body: unknown,
    @Query({ schema: noQuery }) _query: unknown,
  ): Promise<GenerationReply> {
    return generationReplyOf(await this.generations.retire(id));
  }
}

function locationOf({ id }: GenerationRecord): string {
  return adminPath(`generations/${id}`);
}

function createdReplyOf(record: GenerationRecord): IdempotentReply {
  return { status: 201, headers: { location: locationOf(record) }, body: generationReplyOf(record) };
}
