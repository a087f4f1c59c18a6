import { isUuid } from '#kernel';
import { SearchStore, type ScoredPoint, type VectorFilter, type VectorQuery } from '#vector-store';
import { Injectable } from '@nestjs/common';
import { AnswerOrigin } from './answer-origin.js';
import { withIndexErrors } from './index-errors.js';
import { rank, roundSimilarity, type Grouping } from './ranking.js';
import type { Hit, Provenance } from './search-types.js';

export interface CandidateQuery<Row> {
  readonly collection: string;
  /** May still be on their way: each is searched for while the others are being embedded. */
  readonly vectors: readonly Promise<Float32Array>[];
  readonly topK: number;
  readonly threshold: number;
  /** `undefined` = every point. */
  readonly filter: VectorFilter | undefined;
  /** Left out of the results: the row that is compared with. */
  readonly excludedId?: string | undefined;
  readonly grouping?: Grouping<Row> | undefined;
  /** For each vector, ids that were found otherwise: their rows are read in the same statement, and their similarity is asked for. */
  readonly companions?: Promise<readonly (readonly string[])[]> | undefined;
  /** Reads the rows that exist and meet the filter as they are now, by id, in one statement. */
  readRows(ids: readonly string[]): Promise<ReadonlyMap<string, Row>>;
}

/** What the store needs to know of a query. */
type PointQuery = Pick<CandidateQuery<never>, 'collection' | 'vectors' | 'threshold' | 'filter' | 'excludedId'>;

export interface Candidates<Row> {
  /** The results of each vector, in order. */
  readonly hits: Hit<Row>[][];
  /** All rows that were read, those of companions among them. */
  readonly rows: ReadonlyMap<string, Row>;
  /** For each vector, the similarity of its points and of those companions that the index has. */
  readonly similarities: ReadonlyMap<string, number>[];
  readonly provenance: Provenance;
}

/** Points asked for beyond top_k: rows deleted or changed a moment ago cost no second round. */
const SPARE_POINTS = 3;
/**
 * Each round asks for four times as many points. After a bulk delete the best thousands can be stale for a moment: 6 rounds look behind some
 * 10,000 of them (top_k = 5), and only what still exists is read.
 */
const ROUND_GROWTH = 4;
const MAX_ROUNDS = 6;

/** The state of one of the queries of a call. */
interface Progress {
  readonly vector: Float32Array;
  readonly points: Map<string, ScoredPoint>;
  offset: number;
  limit: number;
  /** The store has no more points for it. */
  isExhausted: boolean;
}

/**
 * Finds the best rows for vectors: points from the vector store, rows from PostgreSQL.
 *
 * The index may be behind. So the filters are checked again on the rows, all rows of a call are read in ONE statement, and when stale points
 * leave too few results the next best are fetched, until there are `topK` or no more.
 */
@Injectable()
export class CandidateSearch {
  constructor(private readonly store: SearchStore) {}

  /** @throws DomainError `search.index-unavailable` */
  async find<Row>(query: CandidateQuery<Row>): Promise<Candidates<Row>> {
    const origin = new AnswerOrigin();
    const firstLimit = query.topK + SPARE_POINTS + (query.excludedId === undefined ? 0 : 1);
    const progress: Progress[] = [];
    const [firstPage, companions] = await Promise.all([this.fetchFirstPage(query, firstLimit, progress, origin), query.companions ?? []]);
    const rows = new Map<string, Row>();
    const read = async (found: readonly string[]): Promise<void> => {
      // Whoever else writes to the index may have ids of another kind. No row has one.
      const ids = found.filter(isUuid);
      if (ids.length > 0) for (const [id, row] of await query.readRows(ids)) rows.set(id, row);
    };
    // The index is asked while the rows are read, so what companions add to a search is a longer list of ids.
    const [similarities] = await Promise.all([
      this.scoreCompanions(progress, companions, query.collection, origin),
      read([...new Set([...firstPage, ...companions.flat()])]),
    ]);
    let open = progress;
    for (let round = 1; ; round++) {
      open = open.filter((one) => !one.isExhausted && rank(one.points.values(), rows, query).length < query.topK);
      if (open.length === 0 || round === MAX_ROUNDS) break;
      await read(await this.fetchPoints(open, query, origin));
    }
    const hits = progress.map(({ points }) => rank(points.values(), rows, query));
    progress.forEach(({ points }, index) => {
      for (const { id, score } of points.values()) similarities[index]!.set(id, roundSimilarity(score));
    });
    return { hits, rows, similarities, provenance: origin.provenance };
  }

  /** Asks, in one call, for exactly those companions of each vector that its own points lack. */
  private async scoreCompanions(
    progress: readonly Progress[],
    companions: readonly (readonly string[])[],
    collection: string,
    origin: AnswerOrigin,
  ): Promise<Map<string, number>[]> {
    const missing = progress.map(({ points }, index) => (companions[index] ?? []).filter((id) => !points.has(id)));
    const similarities = progress.map(() => new Map<string, number>());
    const asking = missing.flatMap((ids, index) => (ids.length === 0 ? [] : [{ ids, index }]));
    if (asking.length === 0) return similarities;
    const requests = asking.map(({ ids, index }) => ({
      vector: progress[index]!.vector,
      limit: ids.length,
      filter: { kind: 'ids', ids } as const,
    }));
    const pages = await this.ask(collection, requests, origin);
    asking.forEach(({ index }, position) => {
      for (const { id, score } of pages[position] ?? []) similarities[index]!.set(id, roundSimilarity(score));
    });
    return similarities;
  }

  /**
   * Asks the store for the vectors as they arrive: the first alone, then in one call whatever has arrived during the call before. So the store works
   * while the model does, and no more calls are made than it answers one after another.
   */
  private async fetchFirstPage(query: PointQuery, limit: number, progress: Progress[], origin: AnswerOrigin): Promise<string[]> {
    const ids = new Set<string>();
    const arrived: Progress[] = [];
    let asking: Promise<void> | null = null;
    const ask = async (): Promise<void> => {
      try {
        while (arrived.length > 0) for (const id of await this.fetchPoints(arrived.splice(0), query, origin)) ids.add(id);
      } finally {
        // In the same step as the last look at `arrived`: what arrives later must start a call of its own.
        asking = null;
      }
    };
    await Promise.all(
      query.vectors.map(async (coming, index) => {
        progress[index] = { vector: await coming, points: new Map(), offset: 0, limit, isExhausted: false };
        arrived.push(progress[index]);
        asking ??= ask();
        await asking;
      }),
    );
    return [...ids];
  }

  /** Asks the store once for all queries, and returns the ids that were not seen before. */
  private async fetchPoints(open: readonly Progress[], query: PointQuery, origin: AnswerOrigin): Promise<string[]> {
    const requests = open.map(({ vector, offset, limit }) => ({
      vector,
      limit,
      threshold: query.threshold,
      ...(offset === 0 ? {} : { offset }),
      ...(query.filter === undefined ? {} : { filter: query.filter }),
    }));
    const pages = await this.ask(query.collection, requests, origin);
    const newIds = new Set<string>();
    open.forEach((one, index) => {
      const page = pages[index] ?? [];
      for (const point of page) {
        if (point.id === query.excludedId) continue;
        // Writes between two rounds move points: the later score counts, and a row is read once.
        one.points.set(point.id, point);
        newIds.add(point.id);
      }
      one.isExhausted = page.length < one.limit;
      one.offset += page.length;
      one.limit *= ROUND_GROWTH;
    });
    return [...newIds];
  }

  private async ask(collection: string, requests: readonly VectorQuery[], origin: AnswerOrigin): Promise<ScoredPoint[][]> {
    const answered = await withIndexErrors(() =>
      this.store.answer(collection, async (store) =>
        requests.length === 1 ? [await store.query(collection, requests[0]!)] : store.queryBatch(collection, requests),
      ),
    );
    origin.observe(answered);
    return answered.value;
  }
}
