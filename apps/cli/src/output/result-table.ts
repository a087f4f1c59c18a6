import { renderTable } from '#kernel';
import type { QueryReply, SearchReply } from '../service/kindred-client.js';

/** Found projects with their prices. */
export function projectTable({ results }: Pick<SearchReply, 'results'>): string {
  const rows = results.map(({ rank, similarity, project }) => [
    rank,
    similarity ?? '',
    project.name,
    project.project_type ?? '',
    project.wood_type ?? '',
    project.region ?? '',
    project.final_price === null ? '' : `${project.final_price.toFixed(2)} ${project.currency}`,
  ]);
  return renderTable(['#', 'similarity', 'project', 'type', 'wood', 'region', 'price'], rows);
}

/** Found passages of documents. */
export function documentTable({ results }: Pick<QueryReply, 'results'>): string {
  const rows = results.map(({ rank, similarity, document }) => [
    rank,
    similarity ?? '',
    document.external_id ?? '',
    document.title,
    document.language ?? '',
  ]);
  return renderTable(['#', 'similarity', 'document', 'title', 'language'], rows);
}
