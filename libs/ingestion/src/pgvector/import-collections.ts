import { collectionBodySchema, type Collection, type CollectionRepository } from '#documents';
import { DomainError } from '#kernel';
import { v7 as uuidV7 } from 'uuid';

/** The vector of the source is of a whole document, so one that is kept needs a document of one chunk: as long as the model reads. */
const WHOLE_DOCUMENT_TOKENS = 8_192;

/** The collections that an import writes to: found by name, and made when they are needed and not there. */
export class ImportCollections {
  private readonly known = new Map<string, Collection>();

  /**
   * @param baseName of rows that name none
   * @param keepsVectors makes collections whose chunks are as long as the model reads
   * @param isDryRun makes none; what would be made has an id that no row has
   */
  constructor(
    private readonly repository: Pick<CollectionRepository, 'find' | 'insert'>,
    private readonly baseName: string,
    private readonly keepsVectors: boolean,
    private readonly isDryRun: boolean,
  ) {}

  /** Of a row with that value of the mapped column. A value is behind the base name: values of catalogs are often ids, which a name must not look like. */
  nameOf(value: string | null | undefined): string {
    return value === null || value === undefined || value === '' ? this.baseName : `${this.baseName}-${value}`;
  }

  /** @returns the collection of that name, or why there cannot be one */
  async get(name: string): Promise<Collection | string> {
    const known = this.known.get(name);
    if (known !== undefined) return known;
    const parsed = collectionBodySchema.safeParse({ name, ...(this.keepsVectors ? { chunk_tokens: WHOLE_DOCUMENT_TOKENS } : {}) });
    if (!parsed.success) return `collection: ${parsed.error.issues[0]!.message}`;
    const collection = (await this.repository.find(name)) ?? (await this.make(parsed.data));
    this.known.set(name, collection);
    return collection;
  }

  /** The collections of these names that are there; makes none. */
  async find(name: string): Promise<Collection | null> {
    return this.known.get(name) ?? (await this.repository.find(name));
  }

  private async make(fields: ReturnType<typeof collectionBodySchema.parse>): Promise<Collection> {
    if (this.isDryRun) return { ...fields, id: uuidV7(), version: 1, created_at: '', updated_at: '' };
    try {
      return await this.repository.insert(fields);
    } catch (error) {
      // Somebody else was faster.
      const found =
        error instanceof DomainError && error.code === 'collections.name-taken' ? await this.repository.find(fields.name) : null;
      if (found === null) throw error;
      return found;
    }
  }
}
