import type { RelayUnitOfWork } from '#database';
import type { EmbedderRegistry } from '#embeddings';
import { cosineOf } from '#kernel';
import type { StoredPoint, VectorStore } from '#vector-store';
import { payloadHashOf, textHashOf } from '../hashing.js';
import type { IndexDocument, IndexSource } from '../index-source.js';
import { getEntries, type LedgerEntry } from '../ledger/list-entries.js';
import type { GateSample } from './gate-report.js';
import type { IndexGeneration } from './index-generation.js';
import { sampleSyncedIds } from './sample-entries.js';

const SAMPLE_SIZE = 50;
/** What a store may do to a vector, as 1 - cosine: float32 travels through stores with an error of about 1e-7. */
const STORE_ERROR = 1e-5;

interface Look {
  readonly rows: number;
  readonly differences: ReadonlyMap<string, string>;
  readonly cosines: readonly number[];
}

/** Reads points of a generation and compares them with what their rows give now, embedded again: the cache could be as wrong as the point. */
export class GateSampleCheck {
  constructor(
    private readonly unitOfWork: RelayUnitOfWork,
    private readonly store: VectorStore,
    private readonly embedders: EmbedderRegistry,
    private readonly sampleSize = SAMPLE_SIZE,
  ) {}

  /** Draws a sample and checks it; what differs is looked at twice, since a row may change in between. */
  async run(generation: IndexGeneration, source: IndexSource, signal: AbortSignal): Promise<GateSample> {
    const ids = await sampleSyncedIds(this.unitOfWork, generation.id, this.sampleSize);
    const first = await this.look(generation, source, ids, signal);
    const second = await this.look(generation, source, [...first.differences.keys()], signal);
    return {
      rows: first.rows,
      mismatches: [...second.differences].map(([id, difference]) => ({ id, difference })),
      lowest_cosine: first.cosines.length === 0 ? null : Math.min(...first.cosines),
    };
  }

  private async look(generation: IndexGeneration, source: IndexSource, ids: readonly string[], signal: AbortSignal): Promise<Look> {
    if (ids.length === 0) return { rows: 0, differences: new Map(), cosines: [] };
    const { entries, documents } = await this.unitOfWork.run(
      async (session) => ({
        entries: (await getEntries(session, generation.id, ids)).filter(({ state }) => state === 'synced'),
        documents: new Map((await source.load(ids, session)).map((document) => [document.id, document])),
      }),
      { isolation: 'REPEATABLE READ', isReadOnly: true },
    );
    const points = new Map(
      (await this.store.retrieve(generation.collection, ids, { hasVectors: true, signal })).map((point) => [point.id, point]),
    );
    const rows = entries.flatMap((entry) => {
      const document = documents.get(entry.sourceId);
      return document === undefined ? [] : [{ entry, document, point: points.get(entry.sourceId) }];
    });
    const embedder = this.embedders.get(generation.embedder);
    const fresh = await embedder.embedDocuments(
      rows.map(({ document }) => document.text),
      { signal },
    );
    const differences = new Map<string, string>();
    const cosines: number[] = [];
    for (const [index, { entry, document, point }] of rows.entries()) {
      const difference = differenceOf(generation, entry, document, point);
      const cosine = point?.vector === undefined ? null : cosineOf(point.vector, fresh[index]!.vector);
      if (cosine !== null) cosines.push(cosine);
      if (difference !== null) differences.set(entry.sourceId, difference);
      else if (cosine === null || !(cosine >= embedder.repeatCosine - STORE_ERROR))
        differences.set(entry.sourceId, `its vector has cosine ${cosine} to a fresh one`);
    }
    return { rows: rows.length, differences, cosines };
  }
}

function differenceOf(
  generation: IndexGeneration,
  entry: LedgerEntry,
  document: IndexDocument,
  point: StoredPoint | undefined,
): string | null {
  if (point === undefined) return 'it is missing';
  const { payload } = point;
  if (payload.model_rev !== generation.modelRev) return `its model is ${payload.model_rev}`;
  if (payload.rev !== entry.indexedVersion) return `its rev is ${payload.rev}, the ledger says ${entry.indexedVersion}`;
  if (payload.text_hash !== textHashOf(generation.modelRev, generation.templateRev, document.text).toString('hex')) {
    return 'its text is not that of the row';
  }
  return payload.payload_hash === payloadHashOf(document.payload).toString('hex') ? null : 'its filter fields are not those of the row';
}
