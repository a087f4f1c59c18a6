import { noQuery } from '#rules';
import { elapsedMsSince, freshnessReplyOf } from '#search';
import { Body, Controller, HttpCode, Post, Query } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation, ApiTags, ApiUnprocessableEntityResponse } from '@nestjs/swagger';
import { extractiveAnswer } from '../extractive-answer.js';
import type { Passage } from '../query.js';
import { QueryService } from '../query.service.js';
import { FILTERED_QUERY_EXAMPLE, QUERY_EXAMPLE, QUERY_REPLY_EXAMPLE } from './query.examples.js';
import { queryReplySchema, queryRequestSchema, type QueryBody, type QueryReply } from './query.schemas.js';

/** Questions to documents. */
@ApiTags('query')
@Controller(['api/v1/query', 'v1/query'])
export class QueryController {
  constructor(private readonly queries: QueryService) {}

  @Post()
  @HttpCode(200)
  @ApiOperation({
    operationId: 'query',
    summary: 'Find passages of documents',
    description:
      'Finds the chunks that answer a question, by meaning and by words, and reads them and their documents from PostgreSQL: what is deleted never appears. While neither the index nor a copy of it can answer, words alone do (`degraded`, source `keyword`). /v1/query is the same route.',
  })
  @ApiBody({
    schema: {},
    examples: {
      question: { summary: 'A question, with an answer in words', value: QUERY_EXAMPLE },
      filtered: { summary: 'Filtered by metadata', value: FILTERED_QUERY_EXAMPLE },
    },
  })
  @ApiOkResponse({ description: 'Best first', standardSchema: queryReplySchema, example: QUERY_REPLY_EXAMPLE })
  @ApiUnprocessableEntityResponse({ description: 'The collection does not exist, or does not declare a key of the filters' })
  async query(@Body({ schema: queryRequestSchema }) body: QueryBody, @Query({ schema: noQuery }) _query: unknown): Promise<QueryReply> {
    const startedAtMs = performance.now();
    const { passages, isTruncated, ...freshness } = await this.queries.find({
      query: body.query,
      topK: body.top_k,
      collection: body.collection ?? null,
      kind: body.kind ?? null,
      filter: body.filters ?? null,
      threshold: body.threshold ?? null,
      mode: body.mode,
      chunksPerDocument: body.chunks_per_document,
    });
    return {
      results: passages.map(resultOf),
      total: passages.length,
      truncated: isTruncated,
      ...(body.answer ? { answer: answerReplyOf(body.query, passages) } : {}),
      query_time_ms: elapsedMsSince(startedAtMs),
      ...freshnessReplyOf(freshness),
    };
  }
}

function answerReplyOf(query: string, passages: readonly Passage[]): NonNullable<QueryReply['answer']> {
  const { text, mode, citations } = extractiveAnswer(query, passages);
  return { text, mode, citations: [...citations] };
}

function resultOf({
  document,
  id,
  ordinal,
  start,
  end,
  context,
  text,
  similarity,
  rank,
  scores,
  snippet,
}: Passage): QueryReply['results'][number] {
  return {
    document,
    chunk: { id, ordinal, start, end, context, text },
    similarity,
    rank,
    snippet,
    ...(scores === null ? {} : { scores }),
  };
}
