import { DomainError } from '#kernel';
import { Idempotent } from '#idempotency';
import { noQuery, uuidText } from '#rules';
import { Certificates, Reconciler } from '#sync';
import { Body, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import {
  ApiAcceptedResponse,
  ApiBody,
  ApiConflictResponse,
  ApiNotFoundResponse,
  ApiOkResponse,
  ApiOperation,
  ApiUnprocessableEntityResponse,
} from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { GenerationTargets } from '../generation-targets.js';
import { AdminController, adminPath } from './admin-route.js';
import { CERTIFICATE_EXAMPLE, CERTIFICATE_PAGE_EXAMPLE, RECONCILE_EXAMPLES, STARTED_RECONCILIATION_EXAMPLE } from './admin.examples.js';
import {
  certificateListQuerySchema,
  certificatePageSchema,
  certificateQuerySchema,
  certificateReplyOf,
  certificateSchema,
  latestQuerySchema,
  limitOf,
  reconcileSchema,
  startedReconciliationSchema,
  type CertificateListParameters,
  type CertificateParameters,
  type LatestParameters,
  type ReconcileRequest,
} from './certificates.schemas.js';

/** Reconciliations, and what they have proven. */
@AdminController()
export class CertificatesController {
  constructor(
    private readonly reconciler: Reconciler,
    private readonly certificates: Certificates,
    private readonly targets: GenerationTargets,
  ) {}

  @Post('reconcile')
  @HttpCode(202)
  @Idempotent()
  @ApiOperation({
    operationId: 'reconcile',
    summary: 'Compare rows and index, and repair what differs',
    description:
      'Begins a reconciliation of one generation: the one named, or the serving one of the source. Follow its certificate at Location until the decision is no longer running.',
  })
  @ApiBody({ schema: {}, required: false, examples: RECONCILE_EXAMPLES })
  @ApiAcceptedResponse({
    description: 'Begun',
    standardSchema: startedReconciliationSchema,
    example: STARTED_RECONCILIATION_EXAMPLE,
    headers: { Location: { description: 'Path of the certificate', schema: { type: 'string' } } },
  })
  @ApiNotFoundResponse({ description: 'No such generation or source' })
  @ApiConflictResponse({ description: 'A reconciliation of this generation is running' })
  @ApiUnprocessableEntityResponse({ description: 'The generation is retired' })
  async reconcile(
    @Body({ schema: reconcileSchema.prefault({}) }) body: ReconcileRequest,
    @Query({ schema: noQuery }) _query: unknown,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const generation = await this.targets.resolve(body);
    if (generation.state === 'retired') throw new DomainError('generations.retired');
    const { id } = await this.reconciler.start(generation, {
      isReadOnly: body.dry_run,
      isForced: body.force,
      budgetMs: body.budget_ms,
      sampleSize: body.sample_size,
      after: body.after,
    });
    reply.header('location', adminPath(`certificates/${id}`));
    return { id, generation: generation.id, source: generation.source, decision: 'running' };
  }

  @Get('certificates')
  @ApiOperation({
    operationId: 'listCertificates',
    summary: 'List certificates',
    description: 'What reconciliations have proven, newest first; without the digests of single buckets.',
  })
  @ApiOkResponse({ description: 'A page', standardSchema: certificatePageSchema, example: CERTIFICATE_PAGE_EXAMPLE })
  @ApiNotFoundResponse({ description: 'The cursor names no certificate' })
  async list(@Query({ schema: certificateListQuerySchema }) query: CertificateListParameters) {
    const { source, generation, cursor } = query;
    const limit = limitOf(query);
    // One more than asked for tells whether there is a next page.
    const found = await this.certificates.list({ source, generationId: generation, limit: limit + 1, before: cursor });
    const items = found.slice(0, limit);
    return { items: items.map(certificateReplyOf), next_cursor: found.length > limit ? (items.at(-1)?.id ?? null) : null };
  }

  @Get('certificates/latest')
  @ApiOperation({
    operationId: 'getLatestCertificate',
    summary: 'The newest certificate',
    description: 'Of the generation named, or of the serving one of the source, whatever its decision.',
  })
  @ApiOkResponse({ description: 'The certificate', standardSchema: certificateSchema, example: CERTIFICATE_EXAMPLE })
  @ApiNotFoundResponse({ description: 'There is none yet, or no such generation or source' })
  async latest(@Query({ schema: latestQuerySchema }) query: LatestParameters) {
    const { id } = await this.targets.resolve(query);
    const latest = await this.certificates.latest(id);
    if (latest === null) {
      throw new DomainError('sync.certificate-not-found', { detail: `Generation ${id} has not been reconciled yet` });
    }
    return certificateReplyOf(await this.certificates.get(latest.id));
  }

  @Get('certificates/:id')
  @ApiOperation({
    operationId: 'getCertificate',
    summary: 'Read a certificate',
    description: 'The whole document, digests by bucket included; with download=true as a file. While it is running it holds the progress.',
  })
  @ApiOkResponse({
    description: 'The certificate',
    standardSchema: certificateSchema,
    example: CERTIFICATE_EXAMPLE,
    headers: { 'Content-Disposition': { description: 'With download=true: the name of the file', schema: { type: 'string' } } },
  })
  @ApiNotFoundResponse({ description: 'No such certificate' })
  async get(
    @Param('id', { schema: uuidText }) id: string,
    @Query({ schema: certificateQuerySchema }) { download }: CertificateParameters,
    @Res({ passthrough: true }) reply: FastifyReply,
  ) {
    const certificate = await this.certificates.get(id);
    if (download === true) reply.header('content-disposition', `attachment; filename="certificate-${certificate.id}.json"`);
    return certificateReplyOf(certificate);
  }
}
