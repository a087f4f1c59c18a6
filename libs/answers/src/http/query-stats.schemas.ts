import { z } from 'zod';
import { GENERATOR_STATES } from '../generation/guarded-text-generator.js';

const counter = (description: string) => z.number().int().describe(description);

export const queryStatsSchema = z
  .strictObject({
    generator: z
      .strictObject({
        model: z.string(),
        state: z
          .enum(GENERATOR_STATES)
          .describe(
            'closed = it is asked; open = it has failed and is left alone for a while; half-open = one request finds out whether it answers',
          ),
        asked: counter('Texts that it was asked for'),
        failed: counter('Of these, those that it did not write'),
        held_back: counter('Texts that it was not asked for, because it had just failed or wrote as many as it may'),
      })
      .nullable()
      .describe('The model that writes answers; null = none is configured'),
    answer_cache: z
      .strictObject({
        hits: counter('Questions whose answer was remembered'),
        joined: counter('Questions that shared the answer that was being written'),
        misses: counter('Questions that the model was to answer'),
        hit_rate: z
          .number()
          .min(0)
          .max(1)
          .nullable()
          .describe('(hits + joined) / (hits + joined + misses), 4 decimals; null = nothing was asked yet'),
        entries: counter('Answers that are remembered now'),
        bytes: counter('What they take'),
      })
      .describe(
        'Answers that a model wrote. Questions in a conversation and those with a degraded search are not remembered, and not counted',
      ),
  })
  .meta({ id: 'QueryStatistics' });
export type QueryStatsReply = z.output<typeof queryStatsSchema>;
