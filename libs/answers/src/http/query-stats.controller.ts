import { noQuery } from '#rules';
import { RequiresScope } from '#security';
import { Controller, Get, Inject, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { AnswerCache } from '../generation/answer-cache.js';
import { GuardedTextGenerator } from '../generation/guarded-text-generator.js';
import { QUERY_STATS_EXAMPLE } from './query.examples.js';
import { queryStatsSchema, type QueryStatsReply } from './query-stats.schemas.js';

/** Digits that tell one rate from the next. */
const RATE_SCALE = 10_000;

/** How answers are made. */
@ApiTags('query')
@RequiresScope('read')
@Controller(['api/v1/query', 'v1/query'])
export class QueryStatsController {
  constructor(
    @Inject(GuardedTextGenerator) private readonly generator: GuardedTextGenerator | null,
    private readonly cache: AnswerCache,
  ) {}

  @Get('stats')
  @ApiOperation({
    operationId: 'getQueryStatistics',
    summary: 'The model that writes answers, and what is remembered of it',
    description:
      'Counters of the process that answers, since its start; the model is not asked for this. /v1/query/stats is the same route.',
  })
  @ApiOkResponse({ description: 'As it is now', standardSchema: queryStatsSchema, example: QUERY_STATS_EXAMPLE })
  stats(@Query({ schema: noQuery }) _query: unknown): QueryStatsReply {
    const { hitRate, ...cache } = this.cache.stats();
    return {
      generator: this.generator === null ? null : generatorReplyOf(this.generator),
      answer_cache: { ...cache, hit_rate: hitRate === null ? null : Math.round(hitRate * RATE_SCALE) / RATE_SCALE },
    };
  }
}

function generatorReplyOf(generator: GuardedTextGenerator): QueryStatsReply['generator'] {
  const { heldBack, ...statistics } = generator.stats();
  return { model: generator.model, ...statistics, held_back: heldBack };
}
