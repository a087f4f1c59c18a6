import { modelLabelOf } from '#embeddings';
import type { GenerationPlan, GenerationProgress, GenerationRecord } from '#sync';
import type { z } from 'zod';
import type { generationDetailSchema, generationPlanSchema, GenerationReply } from './generations.schemas.js';

const text = (date: Date | null): string | null => date?.toISOString() ?? null;

/** Says the same in the terms of the API. */
export function generationReplyOf(record: GenerationRecord): GenerationReply {
  return {
    id: record.id,
    source: record.source,
    state: record.state,
    collection: record.collection,
    model: modelLabelOf(record.embedder),
    model_rev: record.modelRev,
    template_rev: record.templateRev,
    dimensions: record.dimensions,
    embedder: record.embedder,
    reason: record.reason,
    created_at: record.createdAt.toISOString(),
    filled_at: text(record.filledAt),
    serving_since: text(record.servingSince),
    standby_since: text(record.standbySince),
    retired_at: text(record.retiredAt),
    dropped_at: text(record.droppedAt),
    paused_at: text(record.pausedAt),
    pause_reason: record.pauseReason,
    gate: record.gateReport as GenerationReply['gate'],
  };
}

export function generationDetailOf(record: GenerationRecord, progress: GenerationProgress): z.output<typeof generationDetailSchema> {
  const { isFilled, entries, ratePerSecond, etaSeconds } = progress;
  return {
    ...generationReplyOf(record),
    progress: { is_filled: isFilled, entries, rate_per_second: ratePerSecond, eta_seconds: etaSeconds },
  };
}

export function generationPlanOf(plan: GenerationPlan): z.output<typeof generationPlanSchema> {
  return {
    source: plan.source,
    collection_prefix: plan.collectionPrefix,
    model: plan.modelLabel,
    model_rev: plan.modelRev,
    template_rev: plan.templateRev,
    embedder: plan.embedder,
    rows: plan.rows,
    cached_rows: plan.cachedRows,
    rows_to_embed: plan.rowsToEmbed,
    tokens_to_embed: plan.tokensToEmbed,
    expected_minutes: plan.expectedMinutes,
    sample: { rows: plan.sample.rows, tokens: plan.sample.tokens, rows_per_second: plan.sample.rowsPerSecond },
    basis: plan.basis,
  };
}
