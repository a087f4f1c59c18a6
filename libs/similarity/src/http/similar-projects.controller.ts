import { PROJECT_SOURCE } from '#projects';
import { uuidText } from '#rules';
import { consistencyDemandOf } from '#search';
import { RequiresScope, Searches } from '#security';
import { CONSISTENCY_TOKEN_HEADER } from '#sync';
import { Controller, Get, Headers, Param, Query } from '@nestjs/common';
import { ApiHeader, ApiNotFoundResponse, ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { SimilarityService } from '../similarity.service.js';
import { searchReplyOf } from './search-reply.js';
import { CONSISTENCY_HEADER, VECTOR_REPLY_EXAMPLE } from './similarity.examples.js';
import { searchReplySchema, similarQuerySchema, TOP_K_DEFAULT, type SearchReply, type SimilarParameters } from './similarity.schemas.js';
import { waitsForIndex } from './waits-for-index.js';

/** Search by a stored project; here, because projects know nothing of search. */
@ApiTags('similarity')
@RequiresScope('read')
@Controller('api/v1/projects')
export class SimilarProjectsController {
  constructor(private readonly similarity: SimilarityService) {}

  @Searches(waitsForIndex)
  @Get(':id/similar')
  @ApiOperation({
    operationId: 'findProjectsLike',
    summary: 'Find projects like a stored one',
    description:
      'Compares by vectors with the present text of the row, also when it is not in the index yet; the row itself is left out. Without index or model the words of the row are looked for.',
  })
  @ApiHeader(CONSISTENCY_HEADER)
  @ApiOkResponse({ description: 'Best first, equal ones by id', standardSchema: searchReplySchema, example: VECTOR_REPLY_EXAMPLE })
  @ApiNotFoundResponse({ description: 'No such project' })
  async similar(
    @Param('id', { schema: uuidText }) id: string,
    @Query({ schema: similarQuerySchema }) query: SimilarParameters,
    @Headers(CONSISTENCY_TOKEN_HEADER) token: string | undefined,
  ): Promise<SearchReply> {
    const startedAtMs = performance.now();
    const result = await this.similarity.findSimilarTo(id, {
      mode: 'vector',
      topK: query.top_k ?? TOP_K_DEFAULT,
      threshold: query.threshold ?? null,
      filter: [],
      consistency: consistencyDemandOf(PROJECT_SOURCE, token, query, '?consistency_token'),
    });
    return searchReplyOf(result, startedAtMs);
  }
}
