import type { SqlSession } from '#database';
import { crashPoint } from '#kernel';
import type { VectorStore } from '#vector-store';
import { aliasOf } from './collection-name.js';

const SERVING_COLLECTION = `SELECT collection FROM index_generations WHERE source = $1 AND state = 'serving'`;

/** A switch while the alias is being set is seen at the next look; more than this many in a row is no race any more. */
const LOOKS = 3;

/**
 * Points the alias of a source at the collection that serves it.
 *
 * The alias is a courtesy to outside readers: a database and an index cannot change together, so it follows, and Kindred itself never reads it.
 */
export class ServingAlias {
  constructor(
    private readonly session: SqlSession,
    private readonly store: VectorStore,
    private readonly collectionPrefix: string,
  ) {}

  /**
   * Makes the alias right, whatever it was. Idempotent, from any number of processes.
   *
   * @throws VectorStoreError
   */
  async repair(source: string): Promise<void> {
    const alias = aliasOf(this.collectionPrefix, source);
    for (let look = 0; look < LOOKS; look++) {
      // Read each time: another process may have switched since, and its alias must not be set back.
      const { rows } = await this.session.query<{ collection: string }>(SERVING_COLLECTION, [source]);
      const collection = rows[0]?.collection;
      if (collection === undefined || (await this.store.getAlias(alias)) === collection) return;
      crashPoint('generation.before-alias');
      await this.store.setAlias(alias, collection);
    }
  }
}
