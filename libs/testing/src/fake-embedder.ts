import { DomainError, normaliseInPlace } from '#kernel';
import { Embedder, modelRevOf, type EmbedderDescriptor, type EmbedOptions, type Embedding } from '#embeddings';
import { setTimeout as delay } from 'node:timers/promises';
import { countBagTokens, hashedBagOfWords } from './hashed-bag-of-words.js';

/** What the double has been asked for since it was made, or since `resetCalls()`. */
export interface FakeEmbedderCalls {
  ready: number;
  queries: number;
  /** Calls of `embedDocuments`. */
  documentJobs: number;
  /** Texts in all those calls. */
  documents: number;
  close: number;
}

/** Decides whether a text fails: `null` lets it pass. */
export type FakeEmbedderFault = (text: string, kind: 'query' | 'document') => unknown;

/**
 * What a provider may do to every call.
 *
 * - `down`: it does not answer; `throttled`: 429 with Retry-After of a second
 * - `slow`: each call takes 200 ms more
 * - `wrong-dimension`, `nan`, `zero`: it answers vectors that nobody may take
 * - `short-list`: it answers one vector less than there were texts
 */
export type FakeEmbedderMode = 'down' | 'throttled' | 'slow' | 'wrong-dimension' | 'nan' | 'zero' | 'short-list';

const SLOW_MS = 200;

/**
 * Double of an embedder: hashed bag-of-words vectors, so texts that share words are alike, without a model and at once.
 *
 * Deterministic, also between processes. Vectors have no negative component: texts without a common word have cosine 0 unless two words
 * meet in one component, which more `dimensions` make rarer.
 */
export class FakeEmbedder extends Embedder {
  readonly descriptor: EmbedderDescriptor;
  readonly modelRev: string;
  readonly calls: FakeEmbedderCalls = { ready: 0, queries: 0, documentJobs: 0, documents: 0, close: 0 };
  /** Every text that was embedded, in order, as the caller gave it. */
  readonly texts: string[] = [];

  private fault: FakeEmbedderFault | null = null;
  private mode: FakeEmbedderMode | null = null;
  private leastCosine = 1;
  private runs = 0;
  private gate: { readonly opened: Promise<void>; readonly open: () => void } | null = null;
  private readonly closed = deferred<never>();
  private isClosed = false;

  /** @param descriptor overrides of the default descriptor (64 dimensions, 256 tokens, no prefixes); another descriptor is another `modelRev` */
  constructor(descriptor: Partial<EmbedderDescriptor> = {}) {
    super();
    this.descriptor = { ...FAKE_DESCRIPTOR, ...descriptor };
    this.modelRev = modelRevOf(this.descriptor);
    // Nobody may be waiting when close() rejects it; that must not become an unhandled rejection.
    this.closed.promise.catch(() => undefined);
  }

  override get repeatCosine(): number {
    return this.leastCosine;
  }

  get dimensions(): number {
    return this.descriptor.dimensions;
  }

  get maxTokens(): number {
    return this.descriptor.max_tokens;
  }

  /** From now on texts fail as `fault` says. A fault that returns an Error rejects with it; `true` gives the usual `search.embedder-unavailable`. */
  failWhen(fault: FakeEmbedderFault): void {
    this.fault = fault;
  }

  /** From now on every text fails, with `error` or the usual `search.embedder-unavailable`. */
  failAlways(error?: Error): void {
    this.fault = () => error ?? true;
  }

  /** From now on it does to every call of {@link embedDocuments} what a provider of such manners does. */
  behave(mode: FakeEmbedderMode): void {
    this.mode = mode;
  }

  /** From now on no two vectors of one text are the same, as with some services; their cosine is that or more. */
  waver(repeatCosine: number): void {
    this.leastCosine = repeatCosine;
  }

  /** Lets texts pass again. */
  recover(): void {
    this.fault = null;
    this.mode = null;
  }

  /** Makes all calls wait from now on, as if the workers were busy, until the returned function is called. */
  hold(): () => void {
    const { promise, resolve } = deferred<void>();
    const gate = { opened: promise, open: resolve };
    this.gate = gate;
    return () => {
      if (this.gate === gate) this.gate = null;
      gate.open();
    };
  }

  resetCalls(): void {
    Object.assign(this.calls, { ready: 0, queries: 0, documentJobs: 0, documents: 0, close: 0 });
    this.texts.length = 0;
  }

  async ready(): Promise<void> {
    this.calls.ready++;
    await this.pass();
  }

  async embedQuery(text: string, options: EmbedOptions = {}): Promise<Embedding> {
    this.calls.queries++;
    await this.pass(options.signal);
    return this.embed(text, 'query');
  }

  async embedDocuments(texts: readonly string[], options: EmbedOptions = {}): Promise<Embedding[]> {
    this.calls.documentJobs++;
    this.calls.documents += texts.length;
    await this.pass(options.signal);
    const { mode } = this;
    if (mode === 'slow') await delay(SLOW_MS, undefined, { signal: options.signal });
    if (mode === 'down') throw new DomainError('search.embedder-unavailable', { detail: 'The double is down' });
    if (mode === 'throttled') {
      throw new DomainError('search.embedder-unavailable', { detail: 'Too many requests', headers: { 'Retry-After': '1' } });
    }
    const embeddings = texts.map((text) => this.embed(text, 'document'));
    return mode === 'short-list'
      ? embeddings.slice(1)
      : embeddings.map((embedding) => ({ ...embedding, vector: spoilt(embedding.vector, mode) }));
  }

  /** Its own affair: no provider is asked, so {@link behave} and {@link failWhen} do not reach it. */
  async countTokens(texts: readonly string[], options: EmbedOptions = {}): Promise<number[]> {
    await this.pass(options.signal);
    return texts.map((text) => countBagTokens(this.descriptor.document_prefix + text));
  }

  close(): Promise<void> {
    this.calls.close++;
    this.isClosed = true;
    this.closed.reject(new DomainError('search.embedder-unavailable', { detail: 'The embedder is closed' }));
    return Promise.resolve();
  }

  private async pass(signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    if (this.isClosed) await this.closed.promise;
    if (this.gate === null) return;
    const aborted = deferred<never>();
    const abort = () => aborted.reject(signal?.reason as Error);
    signal?.addEventListener('abort', abort, { once: true });
    try {
      await Promise.race([this.gate.opened, this.closed.promise, aborted.promise]);
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  private embed(text: string, kind: 'query' | 'document'): Embedding {
    // Closed while the call was on its way: a call in flight rejects.
    if (this.isClosed) throw new DomainError('search.embedder-unavailable', { detail: 'The embedder is closed' });
    const fault = this.fault?.(text, kind) ?? null;
    if (fault instanceof Error) throw fault;
    if (fault !== null && fault !== false) throw new DomainError('search.embedder-unavailable', { detail: 'The double was told to fail' });
    this.texts.push(text);
    const prefix = kind === 'query' ? this.descriptor.query_prefix : this.descriptor.document_prefix;
    const embedding = hashedBagOfWords(prefix + text, this.dimensions, this.maxTokens);
    return this.leastCosine === 1 ? embedding : { ...embedding, vector: this.wavering(embedding.vector) };
  }

  /** Turned away from its text by half of what is allowed, each time to another side. */
  private wavering(vector: Float32Array): Float32Array {
    const turned = vector.slice();
    const free = [...turned.keys()].filter((component) => turned[component] === 0);
    turned[free[this.runs++ % free.length]!] = Math.tan(Math.acos(this.leastCosine) / 2);
    return normaliseInPlace(turned);
  }
}

function spoilt(vector: Float32Array, mode: FakeEmbedderMode | null): Float32Array {
  if (mode === 'wrong-dimension') return vector.subarray(1);
  if (mode === 'zero') return vector.map(() => 0);
  return mode === 'nan' ? vector.with(0, Number.NaN) : vector;
}

const FAKE_DESCRIPTOR: EmbedderDescriptor = {
  provider: 'local',
  model: 'fake-bag-of-words',
  revision: '000000000000',
  dtype: 'fp32',
  dimensions: 64,
  pooling: 'mean',
  query_prefix: '',
  document_prefix: '',
  max_tokens: 256,
};

interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: Error) => void;
}

function deferred<T>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (reason: Error) => void;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
