import { DomainError } from '#kernel';
import type { IndexDirectory } from '#sync';
import type { CollectionInfo, VectorStore } from '#vector-store';

/** The collection that searches of a source use. */
export interface IndexedCollection {
  readonly source: string;
  /** `null` = the first index is still being made. */
  readonly name: string | null;
  /** `null` = it is not there. */
  readonly info: Pick<CollectionInfo, 'pointsCount' | 'dimensions'> | null;
}

/** Looks at the collections of all sources. Rejects when the store does not answer. */
export async function lookAtCollections(
  store: VectorStore,
  directory: IndexDirectory,
  sources: readonly string[],
  options: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<IndexedCollection[]> {
  return Promise.all(
    sources.map(async (source) => {
      const name = await nameOf(directory, source);
      return { source, name, info: name === null ? null : await store.info(name, options) };
    }),
  );
}

async function nameOf(directory: IndexDirectory, source: string): Promise<string | null> {
  try {
    return (await directory.serving(source)).collection;
  } catch (error) {
    if (error instanceof DomainError && error.code === 'search.not-ready') return null;
    throw error;
  }
}
