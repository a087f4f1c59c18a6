import { renderTable } from '#kernel';
import { durationText, timeText } from '../output/words.js';

export interface GateReply {
  readonly status: 'running' | 'passed' | 'refused' | 'failed';
  readonly passed: boolean;
  readonly reasons: readonly { readonly code: string; readonly detail: string }[];
  readonly checked_at: string | null;
  readonly overlap_at_10: number | null;
  readonly sample: { readonly rows: number; readonly lowest_cosine: number | null } | null;
}

export interface GenerationReply {
  readonly id: number;
  readonly source: string;
  readonly state: string;
  readonly collection: string;
  readonly model: string;
  readonly embedder: { readonly max_tokens: number; readonly dimensions: number };
  readonly reason: string | null;
  readonly created_at: string;
  readonly serving_since: string | null;
  readonly retired_at: string | null;
  readonly dropped_at: string | null;
  readonly pause_reason: string | null;
  readonly gate: GateReply | null;
}

export interface GenerationDetailReply extends GenerationReply {
  readonly progress: {
    readonly is_filled: boolean;
    readonly entries: { readonly pending: number; readonly synced: number; readonly dead: number; readonly tombstone: number };
    readonly rate_per_second: number;
    readonly eta_seconds: number | null;
  };
}

export interface PlanReply {
  readonly source: string;
  readonly model: string;
  readonly embedder: { readonly max_tokens: number };
  readonly rows: number;
  readonly cached_rows: number;
  readonly rows_to_embed: number;
  readonly tokens_to_embed: number;
  readonly expected_minutes: number;
  readonly basis: string;
}

export function generationTable(generations: readonly GenerationReply[]): string {
  return renderTable(
    ['id', 'source', 'state', 'model', 'max tokens', 'created', 'serving since', 'gate', 'collection'],
    generations.map(({ id, source, state, model, embedder, created_at, serving_since, gate, collection }) => [
      id,
      source,
      state,
      model,
      embedder.max_tokens,
      timeText(created_at),
      timeText(serving_since),
      gate?.status ?? '-',
      collection,
    ]),
  );
}

export function progressText({ progress }: GenerationDetailReply): string {
  const { entries, is_filled, rate_per_second, eta_seconds } = progress;
  const left = eta_seconds === null ? '' : `, about ${durationText(eta_seconds)} to go`;
  const filling = is_filled ? '' : ' (still being filled)';
  return `${entries.synced} in the index, ${entries.pending} pending${filling}, ${entries.dead} dead, ${Math.round(rate_per_second)} per second${left}`;
}

export function gateText(gate: GateReply | null): string {
  if (gate === null) return 'gate: none yet';
  const overlap = gate.overlap_at_10 === null ? '' : `, overlap@10 with the serving one ${gate.overlap_at_10.toFixed(2)}`;
  const sample = gate.sample === null ? '' : `, ${gate.sample.rows} rows sampled`;
  const reasons = gate.reasons.map(({ code, detail }) => `\n    ${code}: ${detail}`);
  return `gate: ${gate.status} at ${timeText(gate.checked_at)}${sample}${overlap}${reasons.join('')}`;
}

export function generationText(generation: GenerationDetailReply): string {
  return [
    `Generation ${generation.id} of ${generation.source}: ${generation.state}`,
    `  ${generation.collection}, ${generation.model}, ${JSON.stringify(generation.embedder)}`,
    `  created ${timeText(generation.created_at)}${generation.reason === null ? '' : `: ${generation.reason}`}`,
    `  serving since ${timeText(generation.serving_since)}, retired ${timeText(generation.retired_at)}, removed ${timeText(generation.dropped_at)}`,
    `  ${progressText(generation)}`,
    ...(generation.pause_reason === null ? [] : [`  paused: ${generation.pause_reason}`]),
    `  ${gateText(generation.gate)}`,
  ].join('\n');
}

export function planText(plan: PlanReply): string {
  return [
    `A new generation of ${plan.source} with ${plan.model}, ${JSON.stringify(plan.embedder)}`,
    `  rows: ${plan.rows}, of which ${plan.cached_rows} have their vector already`,
    `  to embed: ${plan.rows_to_embed} rows, about ${plan.tokens_to_embed} tokens`,
    `  expected: ${durationText(plan.expected_minutes * 60)}`,
    `  ${plan.basis}`,
  ].join('\n');
}
