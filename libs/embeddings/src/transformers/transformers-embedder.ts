import { DomainError, findVectorDefect } from '#kernel';
import { Embedder, type EmbedderDescriptor, type EmbedOptions, type Embedding } from '../embedder.js';
import type { EmbedderActivity, QueryCacheStatistics } from '../embedder-activity.js';
import { inOrderOf } from '../in-order-of.js';
import { modelRevOf } from '../model-rev.js';
import type { ModelFiles } from '../models/model-files.js';
import { readableStart } from '../readable-start.js';
import { EmbeddingThread } from './embedding-thread.js';
import { EmbeddingWorkerPool, type PoolStatistics } from './embedding-worker-pool.js';
import { QueryCache } from '../query-cache.js';
import { TokenCounter } from './token-counter.js';
import type { Lane, ThreadSettings } from './worker-protocol.js';
import type { WorkerThread } from './worker-slot.js';

/** Starts one thread; the settings become its `workerData`. */
export type StartThread = (settings: ThreadSettings) => WorkerThread;

export interface TransformersEmbedderOptions {
  readonly descriptor: EmbedderDescriptor;
  readonly folder: ModelFiles;
  /** Threads, each with one inference thread; at least 1. */
  readonly workers: number;
  /** Default: a thread that runs the built `embedding-worker.js`. */
  readonly startThread?: StartThread;
}

/** Counters since the embedder was made. */
export interface EmbedderStatistics extends PoolStatistics {
  readonly cache: QueryCacheStatistics;
}

/**
 * Embeds with a sentence-transformer model on this machine's processor, in worker threads; the calling thread only passes messages.
 *
 * An empty or blank text is valid: its vector is that of the begin and end marker alone.
 */
export class TransformersEmbedder extends Embedder {
  readonly descriptor: EmbedderDescriptor;
  readonly modelRev: string;
  private readonly folder: ModelFiles;
  private readonly pool: EmbeddingWorkerPool;
  private readonly cache: QueryCache;
  private readonly counter: TokenCounter;

  constructor({ descriptor, folder, workers, startThread = (settings) => new EmbeddingThread(settings) }: TransformersEmbedderOptions) {
    super();
    this.descriptor = descriptor;
    this.modelRev = modelRevOf(descriptor);
    this.folder = folder;
    const { onnxFile, tokenizerFile, tokenizerConfigFile } = folder;
    const settings = { onnxFile, tokenizerFile, tokenizerConfigFile, dimensions: descriptor.dimensions, maxTokens: descriptor.max_tokens };
    this.pool = new EmbeddingWorkerPool(workers, (workerNumber) => startThread({ ...settings, workerNumber }));
    this.counter = new TokenCounter({ tokenizerFile, tokenizerConfigFile });
    this.cache = new QueryCache((text, signal) => this.embedUncachedQuery(text, signal));
  }

  get dimensions(): number {
    return this.descriptor.dimensions;
  }

  get maxTokens(): number {
    return this.descriptor.max_tokens;
  }

  /**
   * Checks the model's files against their checksums, then loads the model in every thread.
   *
   * @throws ModelFolderError when a file is missing or damaged
   * @throws DomainError `search.embedder-unavailable` when no thread could be started, or the files could not be downloaded
   */
  async ready(): Promise<void> {
    await this.folder.verify();
    this.pool.launch();
    await this.pool.whenReady();
  }

  override forgetQueries(): void {
    this.cache.clear();
  }

  async embedQuery(text: string, options: EmbedOptions = {}): Promise<Embedding> {
    return this.cache.get(text, options);
  }

  async embedDocuments(texts: readonly string[], { signal }: EmbedOptions = {}): Promise<Embedding[]> {
    signal?.throwIfAborted();
    await this.launchForUse();
    signal?.throwIfAborted();
    const runs = new Map<string, ReadRun>();
    for (const text of texts) {
      if (!runs.has(text)) runs.set(text, this.run('document', inputOf(this.descriptor.document_prefix, text)));
    }
    const abortAll = (reason: Error) => {
      for (const run of runs.values()) run.abort(reason);
    };
    const onAbort = () => abortAll(signal!.reason as Error);
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      const embeddings = new Map(await Promise.all([...runs].map(async ([text, { embedding }]) => [text, await embedding] as const)));
      return inOrderOf(texts, (text) => embeddings.get(text)!);
    } catch (error) {
      // One failure is the failure of the call, so the rest would be embedded for nobody.
      abortAll(error as Error);
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
  }

  async countTokens(texts: readonly string[], { signal }: EmbedOptions = {}): Promise<number[]> {
    signal?.throwIfAborted();
    await this.checkForUse();
    signal?.throwIfAborted();
    const whole = texts.map((text) => inputOf(this.descriptor.document_prefix, text));
    const starts = whole.map((text) => readableStart(text, this.maxTokens));
    const counts = await this.counter.count(
      starts.map(({ text, isCut }, i) => (isCut ? whole[i]! : text)),
      signal,
    );
    // Characters may run out before tokens do: one huge "word" is a single unknown token, and is cut all the same.
    return counts.map((count, i) => (starts[i]!.isCut ? Math.max(count, this.maxTokens + 1) : count));
  }

  override activity(): EmbedderActivity {
    const { queries, documents, cache } = this.stats();
    return { queries, documents, cache };
  }

  stats(): EmbedderStatistics {
    return { ...this.pool.stats(), cache: this.cache.stats() };
  }

  async close(): Promise<void> {
    await Promise.all([this.pool.close(), this.counter.close()]);
  }

  private async embedUncachedQuery(text: string, signal: AbortSignal): Promise<Embedding> {
    await this.launchForUse();
    signal.throwIfAborted();
    const run = this.run('query', inputOf(this.descriptor.query_prefix, text));
    signal.addEventListener('abort', () => run.abort(signal.reason as Error), { once: true });
    return run.embedding;
  }

  private run(lane: Lane, text: string): ReadRun {
    const start = readableStart(text, this.maxTokens);
    const poolRun = this.pool.run(lane, start.text);
    const embedding = poolRun.result.then((encoded) => {
      this.assertValid(encoded.vector);
      return { ...encoded, isTruncated: encoded.isTruncated || start.isCut };
    });
    return { embedding, abort: (reason) => poolRun.abort(reason) };
  }

  private assertValid(vector: Float32Array): void {
    const defect = findVectorDefect(vector, this.dimensions);
    if (defect === null) return;
    throw new DomainError('search.embedder-unavailable', {
      detail: 'The model gave a vector that cannot be used',
      cause: new Error(`${this.descriptor.model} gave a vector with the defect ${defect}`),
    });
  }

  private async launchForUse(): Promise<void> {
    await this.checkForUse();
    this.pool.launch();
  }

  private async checkForUse(): Promise<void> {
    try {
      await this.folder.verify();
    } catch (error) {
      throw new DomainError('search.embedder-unavailable', { cause: error });
    }
  }
}

/** Blank texts are all alike, also for tokenizers that count white space. */
function inputOf(prefix: string, text: string): string {
  return text.trim() === '' ? prefix : prefix + text;
}

interface ReadRun {
  readonly embedding: Promise<Embedding>;
  abort(reason: Error): void;
}
