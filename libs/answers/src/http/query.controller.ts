import { CollectionAccessGuard } from '#documents';
import { noQuery } from '#rules';
import { elapsedMsSince, freshnessReplyOf, scoresReplyOf } from '#search';
import { RequiresScope, Searches, WithinCollections } from '#security';
import { Body, Controller, Headers, HttpCode, Post, Query, Req, Res, UseGuards } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiExtension, ApiOkResponse, ApiOperation, ApiTags, ApiUnprocessableEntityResponse } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Readable } from 'node:stream';
import { AnswerService, type AnswerRequest } from '../generation/answer.service.js';
import type { Passage, QueryResult } from '../query.js';
import { QueryService } from '../query.service.js';
import { answerReplyOf } from './answer-reply.js';
import { clientSignal, unlessGone } from './client-signal.js';
import { EVENT_STREAM_HEADERS, EVENT_STREAM_TYPE, eventStream, wantsEvents } from './event-stream.js';
import { FILTERED_QUERY_EXAMPLE, QUERY_EVENTS_EXAMPLE, QUERY_EXAMPLE, QUERY_REPLY_EXAMPLE } from './query.examples.js';
import { queryReplySchema, queryRequestSchema, type QueryBody, type QueryReply } from './query.schemas.js';

/** Questions to documents. */
@ApiTags('query')
@RequiresScope('read')
@UseGuards(CollectionAccessGuard)
@Controller(['api/v1/query', 'v1/query'])
export class QueryController {
  constructor(
    private readonly queries: QueryService,
    private readonly answers: AnswerService,
  ) {}

  @Searches()
  @WithinCollections('body')
  @Post()
  @HttpCode(200)
  @RouteConfig({ answersOtherForms: [EVENT_STREAM_TYPE] })
  @ApiOperation({
    operationId: 'query',
    summary: 'Find passages of documents',
    description:
      'Finds the chunks that answer a question, by meaning and by words, and reads them and their documents from PostgreSQL: what is deleted never appears. While neither the index nor a copy of it can answer, words alone do (`degraded`, source `keyword`). With `answer`, also answers in words: a model writes them where one is configured, and every citation is one of the results. With `Accept: text/event-stream` the answer comes as it is written: `result` with everything that was found, `delta` with pieces of a text that nobody has checked yet, `answer` with the checked one in their place, `error` when it fails behind `result`. /v1/query is the same route.',
  })
  @ApiBody({
    schema: {},
    examples: {
      question: { summary: 'A question, with an answer in words', value: QUERY_EXAMPLE },
      filtered: { summary: 'Filtered by metadata', value: FILTERED_QUERY_EXAMPLE },
    },
  })
  @ApiOkResponse({
    description: 'Best first',
    standardSchema: queryReplySchema,
    example: QUERY_REPLY_EXAMPLE,
  })
  @ApiExtension('x-events', QUERY_EVENTS_EXAMPLE)
  @ApiUnprocessableEntityResponse({ description: 'The collection does not exist, or does not declare a key of the filters' })
  async query(
    @Body({ schema: queryRequestSchema }) body: QueryBody,
    @Query({ schema: noQuery }) _query: unknown,
    @Headers('accept') accept: string | undefined,
    @Req() request: FastifyRequest,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<QueryReply | Readable> {
    const startedAtMs = performance.now();
    const signal = clientSignal(reply);
    const found = await this.find(body);
    // An answer in words may take seconds, of which other searches feel nothing.
    request.searchIsOver?.();
    if (wantsEvents(accept)) {
      reply.headers(EVENT_STREAM_HEADERS);
      return this.stream(body, found, startedAtMs);
    }
    const answer = body.answer ? await unlessGone(this.answers.answer(requestOf(body, found, signal)), signal) : null;
    return { ...replyOf(found, startedAtMs), ...(answer === null ? {} : { answer: answerReplyOf(answer) }) };
  }

  private find(body: QueryBody): Promise<QueryResult> {
    return this.queries.find({
      query: body.query,
      topK: body.top_k,
      collection: body.collection ?? null,
      kind: body.kind ?? null,
      filter: body.filters ?? null,
      threshold: body.threshold ?? null,
      mode: body.mode,
      chunksPerDocument: body.chunks_per_document,
    });
  }

  private stream(body: QueryBody, found: QueryResult, startedAtMs: number): Readable {
    return eventStream(async (send, signal) => {
      send('result', replyOf(found, startedAtMs));
      const onPiece = (text: string): void => send('delta', { text });
      send('answer', answerReplyOf(await this.answers.answer({ ...requestOf(body, found, signal), onPiece })));
    });
  }
}

function requestOf({ query }: QueryBody, { passages, index, isDegraded }: QueryResult, signal: AbortSignal): AnswerRequest {
  return { question: query, passages, generation: index?.generation ?? null, isDegraded, signal };
}

function replyOf({ passages, isTruncated, ...freshness }: QueryResult, startedAtMs: number): QueryReply {
  return {
    results: passages.map(resultOf),
    total: passages.length,
    truncated: isTruncated,
    query_time_ms: elapsedMsSince(startedAtMs),
    ...freshnessReplyOf(freshness),
  };
}

function resultOf(passage: Passage): QueryReply['results'][number] {
  const { document, id, ordinal, start, end, context, text, similarity, rank, scores, snippet } = passage;
  return {
    document,
    chunk: { id, ordinal, start, end, context, text },
    similarity,
    rank,
    snippet,
    ...scoresReplyOf(scores),
  };
}
