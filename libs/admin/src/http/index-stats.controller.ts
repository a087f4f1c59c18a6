import { DomainError } from '#kernel';
import { noQuery } from '#rules';
import { GenerationManager } from '#sync';
import { VectorStore, VectorStoreError } from '#vector-store';
import { Get, Query } from '@nestjs/common';
import { ApiOkResponse, ApiOperation } from '@nestjs/swagger';
import { z } from 'zod';
import { AdminController } from './admin-route.js';

/** The index is asked for each generation, and may be far away. */
const TIMEOUT_MS = 5_000;

const indexStatsSchema = z
  .strictObject({
    store: z.enum(['local', 'qdrant']),
    version: z.string().nullable(),
    collections_count: z.number().int(),
    collections: z.array(
      z.strictObject({
        generation: z.number().int(),
        source: z.string(),
        state: z.string(),
        name: z.string(),
        exists: z.boolean(),
        points_count: z.number().int().nullable().describe('May be approximate'),
        dimensions: z.number().int().nullable(),
        distance: z.literal('Cosine'),
      }),
    ),
  })
  .meta({ id: 'IndexStats' });

const EXAMPLE: z.output<typeof indexStatsSchema> = {
  store: 'qdrant',
  version: '1.19.0',
  collections_count: 2,
  collections: [
    {
      generation: 1,
      source: 'projects',
      state: 'serving',
      name: 'kindred_projects_g1_abcdef',
      exists: true,
      points_count: 1200,
      dimensions: 384,
      distance: 'Cosine',
    },
  ],
};

/** What the index holds. */
@AdminController('index')
export class IndexStatsController {
  constructor(
    private readonly store: VectorStore,
    private readonly generations: GenerationManager,
  ) {}

  @Get('stats')
  @ApiOperation({
    operationId: 'getIndexStats',
    summary: 'What the index holds',
    description: 'Asks the index itself, for each generation that is not retired. 503 when it does not answer.',
  })
  @ApiOkResponse({ description: 'As it is now', standardSchema: indexStatsSchema, example: EXAMPLE })
  async stats(@Query({ schema: noQuery }) _query: unknown): Promise<z.output<typeof indexStatsSchema>> {
    try {
      return await this.ask();
    } catch (error) {
      if (error instanceof VectorStoreError) throw new DomainError('search.index-unavailable', { cause: error });
      throw error;
    }
  }

  private async ask(): Promise<z.output<typeof indexStatsSchema>> {
    const options = { timeoutMs: TIMEOUT_MS };
    const [status, generations] = await Promise.all([this.store.ping(options), this.generations.list()]);
    const collections = await Promise.all(
      generations
        .filter(({ state }) => state !== 'retired')
        .map(async ({ id, source, state, collection }) => {
          const info = await this.store.info(collection, options);
          const counts = { points_count: info?.pointsCount ?? null, dimensions: info?.dimensions ?? null };
          return { generation: id, source, state, name: collection, exists: info !== null, ...counts, distance: 'Cosine' as const };
        }),
    );
    return { store: status.source, version: status.version, collections_count: status.collectionsCount, collections };
  }
}
