import type { ProjectFilter } from '#projects';
import type { VectorFilter } from '#vector-store';

/** Turns the filter of projects into that of the vector store; `undefined` = everything. The SQL re-check is made from the same conditions. */
export function vectorFilterOf(filter: ProjectFilter): VectorFilter | undefined {
  if (filter.length === 0) return undefined;
  return { kind: 'and', filters: [...filter] };
}
