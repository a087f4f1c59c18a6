import { PROJECT_SOURCE } from '#projects';
import { noQuery } from '#rules';
import { consistencyDemandOf, elapsedMsSince } from '#search';
import { CostsBy, elementsOf, RequiresScope, Searches } from '#security';
import { CONSISTENCY_TOKEN_HEADER } from '#sync';
import { Body, Controller, Get, Headers, HttpCode, Post, Query } from '@nestjs/common';
import { ApiBody, ApiHeader, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SimilarityService } from '../similarity.service.js';
import { filterOf } from './filters.schema.js';
import { batchEntryOf, searchReplyOf, statsReplyOf } from './search-reply.js';
import { waitsForIndex } from './waits-for-index.js';
import {
  BATCH_REPLY_EXAMPLE,
  BATCH_SIMILAR_EXAMPLE,
  CONSISTENCY_HEADER,
  DEGRADED_REPLY_EXAMPLE,
  FIND_SIMILAR_EXAMPLE,
  FRESH_SIMILAR_EXAMPLE,
  KEYWORD_REPLY_EXAMPLE,
  SEARCH_REPLY_EXAMPLE,
  STALE_REPLY_EXAMPLE,
  STATS_REPLY_EXAMPLE,
} from './similarity.examples.js';
import {
  batchReplySchema,
  batchSimilarSchema,
  findSimilarSchema,
  searchReplySchema,
  statsReplySchema,
  type BatchReply,
  type BatchSimilarRequest,
  type FindSimilarRequest,
  type SearchReply,
  type StatsReply,
} from './similarity.schemas.js';

/** Search by text. */
@ApiTags('similarity')
@RequiresScope('read')
@Controller('api/v1/similarity')
export class SimilarityController {
  constructor(private readonly similarity: SimilarityService) {}

  @Searches(waitsForIndex)
  @Post('find-similar')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'findSimilar',
    summary: 'Find projects like a text',
    description:
      'Embeds the text, finds the nearest projects and those that have its words, and reads them from PostgreSQL: deleted rows never appear, filters hold on the rows as they are now. While Qdrant is away, a copy in the service answers (`degraded`, with `index_age_seconds`); where there is none, or without the model, the words alone (`source: keyword`).',
  })
  @ApiHeader(CONSISTENCY_HEADER)
  @ApiBody({
    schema: {},
    examples: {
      kitchen: { summary: 'A kitchen, filtered', value: FIND_SIMILAR_EXAMPLE },
      fresh: { summary: 'Behind a write', value: FRESH_SIMILAR_EXAMPLE },
    },
  })
  @ApiOkResponse({
    description: 'Best first: by the fused score, in mode vector by similarity; equal ones by id',
    standardSchema: searchReplySchema,
    examples: {
      normal: { summary: 'The index answers', value: SEARCH_REPLY_EXAMPLE },
      degraded: { summary: 'Qdrant is away, a copy in the service answers', value: DEGRADED_REPLY_EXAMPLE },
      keyword: { summary: 'Neither index nor copy, or not the model, can answer: words do', value: KEYWORD_REPLY_EXAMPLE },
      stale: { summary: 'The write of the token is not in the index yet', value: STALE_REPLY_EXAMPLE },
    },
  })
  async findSimilar(
    @Body({ schema: findSimilarSchema }) body: FindSimilarRequest,
    @Query({ schema: noQuery }) _query: unknown,
    @Headers(CONSISTENCY_TOKEN_HEADER) token: string | undefined,
  ): Promise<SearchReply> {
    const startedAtMs = performance.now();
    const result = await this.similarity.findSimilar({
      query: body.query,
      mode: body.mode,
      topK: body.top_k,
      threshold: body.threshold ?? null,
      filter: filterOf(body.filters),
      consistency: consistencyDemandOf(PROJECT_SOURCE, token, body, '/consistency_token'),
    });
    return searchReplyOf(result, startedAtMs);
  }

  @Searches(waitsForIndex)
  @CostsBy(elementsOf('queries'))
  @Post('batch-similar')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'batchSimilar',
    summary: 'Find projects like each of several texts',
    description: 'One call for up to 50 texts; options hold for all of them.',
  })
  @ApiHeader(CONSISTENCY_HEADER)
  @ApiBody({ schema: {}, examples: { two: { summary: 'Two texts', value: BATCH_SIMILAR_EXAMPLE } } })
  @ApiOkResponse({ description: 'One entry per query, in their order', standardSchema: batchReplySchema, example: BATCH_REPLY_EXAMPLE })
  async batchSimilar(
    @Body({ schema: batchSimilarSchema }) body: BatchSimilarRequest,
    @Query({ schema: noQuery }) _query: unknown,
    @Headers(CONSISTENCY_TOKEN_HEADER) token: string | undefined,
  ): Promise<BatchReply> {
    const startedAtMs = performance.now();
    const { results, ...freshness } = await this.similarity.findSimilarBatch({
      queries: body.queries,
      mode: body.mode,
      topK: body.top_k,
      threshold: body.threshold ?? null,
      filter: filterOf(body.filters),
      consistency: consistencyDemandOf(PROJECT_SOURCE, token, body, '/consistency_token'),
    });
    return { results: results.map((result) => batchEntryOf(result, freshness)), batch_time_ms: elapsedMsSince(startedAtMs) };
  }

  @Get('stats')
  @ApiOperation({
    operationId: 'getIndexStatistics',
    summary: 'The index that answers searches',
    description: 'Counts of the serving collection, its model and how many rows it is behind.',
  })
  @ApiOkResponse({ description: 'The counts', standardSchema: statsReplySchema, example: STATS_REPLY_EXAMPLE })
  async stats(@Query({ schema: noQuery }) _query: unknown): Promise<StatsReply> {
    return statsReplyOf(await this.similarity.statistics());
  }
}
