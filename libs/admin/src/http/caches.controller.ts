import { AnswerCache } from '#answers';
import { EmbedderRegistry } from '#embeddings';
import { noQuery } from '#rules';
import { KeyDirectory } from '#security';
import { Body, Get, HttpCode, Post, Query } from '@nestjs/common';
import { ApiBody, ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { z } from 'zod';
import { AdminController } from './admin-route.js';

const counters = {
  hits: z.number().int(),
  joined: z.number().int().describe('Found one of the same under way'),
  misses: z.number().int(),
  entries: z.number().int(),
};
const cachesSchema = z
  .strictObject({
    query_vectors: z.array(z.strictObject({ model: z.string(), ...counters })).describe('By model; of models that count'),
    answers: z.strictObject({ ...counters, bytes: z.number().int() }),
    keys: z.strictObject({ entries: z.number().int() }).describe('API keys that are known for some seconds'),
  })
  .meta({ id: 'Caches' });
type Caches = z.output<typeof cachesSchema>;

const CACHES = ['query_vectors', 'answers', 'keys'] as const;
const clearSchema = z
  .strictObject({ cache: z.enum(CACHES).optional().describe('Only this one; without it all of them') })
  .meta({ id: 'ClearCachesRequest' });

const EXAMPLE: Caches = {
  query_vectors: [{ model: 'all-MiniLM-L6-v2:q8', hits: 120, joined: 3, misses: 40, entries: 40 }],
  answers: { hits: 4, joined: 0, misses: 9, entries: 9, bytes: 20_480 },
  keys: { entries: 2 },
};

/** What the process that answers remembers. Everything in it can be had again. */
@AdminController('caches')
export class CachesController {
  constructor(
    private readonly embedders: EmbedderRegistry,
    private readonly answers: AnswerCache,
    private readonly keys: KeyDirectory,
  ) {}

  @Get()
  @ApiOperation({
    operationId: 'getCaches',
    summary: 'What is remembered',
    description:
      'Vectors of queries, written answers and API keys, in the memory of the process that answers. Vectors of rows are kept in PostgreSQL.',
  })
  @ApiOkResponse({ description: 'As it is now', standardSchema: cachesSchema, example: EXAMPLE })
  read(@Query({ schema: noQuery }) _query: unknown): Caches {
    return this.state();
  }

  @Post('clear')
  @HttpCode(200)
  @ApiOperation({
    operationId: 'clearCaches',
    summary: 'Forget what is remembered',
    description: 'In the process that answers. Nothing is lost; the next requests are slower.',
  })
  @ApiBody({
    schema: {},
    required: false,
    examples: { all: { summary: 'All of them', value: {} }, answers: { summary: 'One of them', value: { cache: 'answers' } } },
  })
  @ApiOkResponse({ description: 'As it is now', standardSchema: cachesSchema, example: EXAMPLE })
  clear(
    @Body({ schema: clearSchema.prefault({}) }) { cache }: z.output<typeof clearSchema>,
    @Query({ schema: noQuery }) _query: unknown,
  ): Caches {
    for (const one of cache === undefined ? CACHES : [cache]) this.forget(one);
    return this.state();
  }

  private forget(cache: (typeof CACHES)[number]): void {
    switch (cache) {
      case 'query_vectors':
        return this.embedders.forgetQueries();
      case 'answers':
        return this.answers.clear();
      case 'keys':
        return this.keys.clear();
    }
  }

  private state(): Caches {
    const { hits, joined, misses, entries, bytes } = this.answers.stats();
    return {
      query_vectors: this.embedders.list().flatMap((embedder) => {
        const activity = embedder.activity();
        if (activity === null) return [];
        const { size, ...counts } = activity.cache;
        return [{ model: `${embedder.descriptor.model}:${embedder.descriptor.dtype}`, ...counts, entries: size }];
      }),
      answers: { hits, joined, misses, entries, bytes },
      keys: { entries: this.keys.size },
    };
  }
}
