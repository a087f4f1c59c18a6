import { fileURLToPath } from 'node:url';
import { loadConfig } from '#config';
import { ConfiguredEmbedderRegistry, type Embedder } from '#embeddings';
import { renderTable } from '#kernel';
import { renderProjectText, type ProjectTextFields } from '#projects';
import { randomOf } from '../bench/texts.js';
import { pairedDifference } from './bootstrap.js';
import type { LabelledSet } from './labelled-set.js';
import { meanScores, scoresOf, type Scores } from './metrics.js';
import { readTask } from './task.js';

/**
 * Whether a text that is longer than the model reads is better found by its beginning, or by the normalised mean of overlapping windows. The sample projects fit
 * the model, so it is made to read less: 24, 32 and 48 tokens.
 */
const LIMITS = [24, 32, 48];
const OVERLAP_SHARE = 0.25;
const DEPTH = 10;
const SEED = 20261125;
/** From dist/eval. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** Words of a text with the tokens of each. */
interface Word {
  readonly text: string;
  readonly tokens: number;
}

function windowsOf(words: readonly Word[], maxTokens: number): string[] {
  const windows: string[] = [];
  let first = 0;
  while (first < words.length) {
    let end = first;
    for (let tokens = 0; end < words.length && (end === first || tokens + words[end]!.tokens <= maxTokens); end++)
      tokens += words[end]!.tokens;
    windows.push(
      words
        .slice(first, end)
        .map(({ text }) => text)
        .join(' '),
    );
    if (end === words.length) break;
    let next = end;
    for (let tokens = 0; next > first + 1 && tokens < maxTokens * OVERLAP_SHARE;) tokens += words[--next]!.tokens;
    first = next;
  }
  return windows;
}

/** The mean of the windows' vectors; its length does not matter for the order of cosines. */
async function embedByWindows(embedder: Embedder, text: string): Promise<Float32Array> {
  const parts = text.split(/\s+/).filter((word) => word !== '');
  const [fixedTokens, ...counts] = await embedder.countTokens(['', ...parts]);
  const words = parts.map((part, index) => ({ text: part, tokens: counts[index]! - fixedTokens! }));
  const embeddings = await embedder.embedDocuments(windowsOf(words, embedder.maxTokens - fixedTokens!));
  const sum = new Float32Array(embedder.dimensions);
  for (const { vector } of embeddings) vector.forEach((value, index) => (sum[index]! += value));
  const norm = Math.hypot(...sum);
  return sum.map((value) => value / norm);
}

function dot(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, index) => sum + value * b[index]!, 0);
}

async function main(): Promise<void> {
  const { labelled, corpus } = readTask(ROOT, 'projects', {});
  const registry = new ConfiguredEmbedderRegistry(loadConfig({}).embedding);
  const rows = corpus!.rows as unknown as (ProjectTextFields & { readonly external_id: string })[];
  const texts = rows.map(renderProjectText);
  const table: (string | number)[][] = [];
  try {
    const whole = registry.get(await registry.describeConfigured());
    const queries = await Promise.all(labelled.queries.map(({ text }) => whole.embedQuery(text)));
    const scoresBy = (vectors: readonly Float32Array[]): Scores[] =>
      labelled.queries.map(({ relevant }, index) => {
        const scored = rows.map(({ external_id }, row) => ({ external_id, score: dot(queries[index]!.vector, vectors[row]!) }));
        scored.sort((a, b) => b.score - a.score);
        return scoresOf(
          scored.slice(0, DEPTH).map(({ external_id }) => external_id),
          relevant,
        );
      });
    for (const maxTokens of LIMITS) {
      const embedder = registry.get(await registry.describe({ max_tokens: maxTokens }));
      const beginning = scoresBy((await embedder.embedDocuments(texts)).map(({ vector }) => vector));
      const windows = scoresBy(await Promise.all(texts.map((text) => embedByWindows(embedder, text))));
      for (const language of ['all', 'de', 'en']) table.push(...rowsOf(labelled, language, maxTokens, beginning, windows));
    }
  } finally {
    await registry.close();
  }
  console.log(renderTable(['tokens', 'queries', 'n', 'vector of', 'recall@5', 'nDCG@10', 'nDCG@10 - beginning'], table));
}

function rowsOf({ queries }: LabelledSet, language: string, maxTokens: number, beginning: readonly Scores[], windows: readonly Scores[]) {
  const isIn = (_: unknown, index: number) => language === 'all' || queries[index]!.language === language;
  const [ours, theirs] = [windows.filter(isIn), beginning.filter(isIn)];
  const ndcgs = (scores: readonly Scores[]) => scores.map(({ ndcg10 }) => ndcg10);
  const { mean, low, high } = pairedDifference(ndcgs(ours), ndcgs(theirs), randomOf(SEED));
  const row = (name: string, scores: readonly Scores[], difference: string) => {
    const { recall5, ndcg10 } = meanScores(scores);
    return [maxTokens, language, scores.length, name, recall5.toFixed(3), ndcg10.toFixed(3), difference];
  };
  return [row('beginning', theirs, ''), row('windows', ours, `${mean.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`)];
}

await main();
