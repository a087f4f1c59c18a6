import type { RelayUnitOfWork } from '#database';
import { modelLabelOf, modelRevOf, type EmbedderDescriptor, type EmbedderRegistry } from '#embeddings';
import type { Clock } from '#kernel';
import { findCached } from '../cache/find-cached.js';
import { textHashOf } from '../hashing.js';
import type { IndexSource } from '../index-source.js';
import { aliasOf } from './collection-name.js';
import type { GenerationCatalog } from './generation-catalog.js';

/** What a new generation would be, and cost. */
export interface GenerationPlan {
  readonly source: string;
  /** The collection's name would begin with this. */
  readonly collectionPrefix: string;
  readonly modelRev: string;
  readonly modelLabel: string;
  readonly templateRev: string;
  readonly embedder: EmbedderDescriptor;
  /** Exact, as of the dry run. */
  readonly rows: number;
  /** Rows whose vector is in the cache already; exact. */
  readonly cachedRows: number;
  /** Rows whose text has to be embedded; equal texts count each. */
  readonly rowsToEmbed: number;
  /** Tokens of those rows. An estimate, unless the sample holds them all. */
  readonly tokensToEmbed: number;
  /** An estimate: embedding at the speed of the sample, then writing at {@link ASSUMED_WRITES_PER_SECOND}. */
  readonly expectedMinutes: number;
  /** What the estimates rest on: rows that were embedded for them, on this machine, now. */
  readonly sample: { readonly rows: number; readonly tokens: number; readonly rowsPerSecond: number | null };
  /** How the estimates were made, in a sentence for people. */
  readonly basis: string;
}

const PAGE_SIZE = 500;
const SAMPLE_SIZE = 500;
const SAMPLE_BATCH = 16;
/** A dry run should answer while the operator watches. */
const SAMPLE_BUDGET_MS = 5_000;
/** What a relay writes to either store on two cores, with room to spare. */
export const ASSUMED_WRITES_PER_SECOND = 1_000;

interface Count {
  rows: number;
  cachedRows: number;
  /** Of the rows to embed, those with the lowest hashes: as good as drawn at random, and the same next time. */
  sample: { readonly hash: string; readonly text: string }[];
}

/** Says what a generation would cost before anybody builds it. Reads only. */
export class GenerationPlanner {
  constructor(
    private readonly unitOfWork: RelayUnitOfWork,
    private readonly embedders: EmbedderRegistry,
    private readonly catalog: GenerationCatalog,
    private readonly clock: Clock,
    private readonly collectionPrefix: string,
  ) {}

  /** Renders every row, page by page, and looks it up in the cache; embeds a sample of what is missing, for at most five seconds. */
  async plan(source: IndexSource, embedder: EmbedderDescriptor, signal: AbortSignal): Promise<GenerationPlan> {
    const modelRev = modelRevOf(embedder);
    const { rows, cachedRows, sample: texts } = await this.count(source, modelRev, signal);
    const rowsToEmbed = rows - cachedRows;
    const sample = await this.embed(embedder, modelRev, texts, signal);
    const embeddingSeconds = sample.rowsPerSecond === null ? 0 : rowsToEmbed / sample.rowsPerSecond;
    return {
      source: source.name,
      collectionPrefix: `${aliasOf(this.collectionPrefix, source.name)}_g`,
      modelRev,
      modelLabel: modelLabelOf(embedder),
      templateRev: source.templateRev,
      embedder,
      rows,
      cachedRows,
      rowsToEmbed,
      tokensToEmbed: sample.rows === 0 ? 0 : Math.round((sample.tokens / sample.rows) * rowsToEmbed),
      expectedMinutes: (embeddingSeconds + rows / ASSUMED_WRITES_PER_SECOND) / 60,
      sample,
      basis: describeBasis(sample, rowsToEmbed),
    };
  }

  private async count(source: IndexSource, modelRev: string, signal: AbortSignal): Promise<Count> {
    const count: Count = { rows: 0, cachedRows: 0, sample: [] };
    for (let after: string | null = null; ;) {
      signal.throwIfAborted();
      const ids: string[] = await source.listIds(after, PAGE_SIZE, this.unitOfWork);
      const documents = ids.length === 0 ? [] : await source.load(ids, this.unitOfWork);
      const hashed = documents.map(({ text }) => ({ text, hash: textHashOf(modelRev, source.templateRev, text) }));
      const cached = await findCached(
        this.unitOfWork,
        hashed.map(({ hash }) => hash),
      );
      const missing = hashed.map(({ text, hash }) => ({ text, hash: hash.toString('hex') })).filter(({ hash }) => !cached.has(hash));
      count.rows += documents.length;
      count.cachedRows += documents.length - missing.length;
      count.sample = [...count.sample, ...missing].sort((a, b) => (a.hash < b.hash ? -1 : 1)).slice(0, SAMPLE_SIZE);
      if (ids.length < PAGE_SIZE) return count;
      after = ids.at(-1)!;
    }
  }

  private async embed(
    descriptor: EmbedderDescriptor,
    modelRev: string,
    texts: Count['sample'],
    signal: AbortSignal,
  ): Promise<GenerationPlan['sample']> {
    if (texts.length === 0) return { rows: 0, tokens: 0, rowsPerSecond: null };
    try {
      const embedder = this.embedders.get(descriptor);
      await embedder.ready();
      const startedMs = this.clock.monotonicMs();
      let rows = 0;
      let tokens = 0;
      let elapsedMs = 0;
      for (; rows < texts.length && elapsedMs < SAMPLE_BUDGET_MS; elapsedMs = this.clock.monotonicMs() - startedMs) {
        const batch = texts.slice(rows, rows + SAMPLE_BATCH).map(({ text }) => text);
        const embeddings = await embedder.embedDocuments(batch, { signal });
        rows += batch.length;
        tokens += embeddings.reduce((sum, embedding) => sum + embedding.tokens, 0);
      }
      return { rows, tokens, rowsPerSecond: rows / Math.max(elapsedMs / 1_000, 0.001) };
    } finally {
      // A model that no generation has was loaded for this answer only.
      const isUsed = (await this.catalog.list()).some((generation) => generation.modelRev === modelRev);
      if (!isUsed) await this.embedders.release(modelRev);
    }
  }
}

function describeBasis({ rows, rowsPerSecond }: GenerationPlan['sample'], rowsToEmbed: number): string {
  const writing = `writing at ${ASSUMED_WRITES_PER_SECOND} rows per second, which is assumed`;
  if (rowsPerSecond === null) return `Nothing has to be embedded; ${writing}.`;
  const kind = rows >= rowsToEmbed ? 'all' : 'a sample of';
  return `Tokens and speed (${rowsPerSecond.toFixed(1)} rows per second) were measured on ${kind} ${rows} rows with the model itself, in this process, beside whatever else it does; ${writing}.`;
}
