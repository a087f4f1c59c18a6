import { DoubleFailure } from './double-failure.js';
import { filteredKeys } from './double-filter.js';
import type { Json, JsonObject } from './double-types.js';

/** The limits of Qdrant's strict mode that the record shows: unindexed filters in reads, the limit of queries, the size of upserts. */
export class StrictMode {
  constructor(
    private readonly config: JsonObject,
    private readonly indexes: ReadonlyMap<string, unknown>,
  ) {}

  checkRead(limit: number, filter: Json | undefined): void {
    if (this.config['enabled'] !== true) return;
    const maxLimit = this.config['max_query_limit'];
    if (typeof maxLimit === 'number') this.checkLimit(limit, maxLimit, 'limit');
    if (this.config['unindexed_filtering_retrieve'] !== false) return;
    const unindexed = filteredKeys(filter).find(({ key }) => !this.indexes.has(key));
    if (unindexed === undefined) return;
    const help = 'Help: Create an index for this key or use a different filter.';
    throw new DoubleFailure(
      400,
      `Bad request: Index required but not found for "${unindexed.key}" of one of the following types: [${unindexed.type}]. ${help}`,
    );
  }

  checkUpsert(pointsCount: number): void {
    const maxBatch = this.config['upsert_max_batchsize'];
    if (this.config['enabled'] === true && typeof maxBatch === 'number') this.checkLimit(pointsCount, maxBatch, 'upsert limit');
  }

  private checkLimit(actual: number, maximum: number, name: string): void {
    if (actual <= maximum) return;
    throw new DoubleFailure(
      400,
      `Bad request: Limit exceeded ${actual} > ${maximum} for "${name}". Help: Reduce the "${name}" parameter to or below ${maximum}.`,
    );
  }
}
