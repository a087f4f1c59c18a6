import type { ProjectFields } from './project.js';

/** Changes whenever the same row would be rendered differently: it is part of every text hash. */
export const PROJECT_TEMPLATE_REV = 'projects-1';

/** The columns that decide the text. */
export type ProjectTextFields = Pick<ProjectFields, 'name' | 'description' | 'project_type' | 'wood_type' | 'region'>;

/**
 * Renders the text that is embedded: name, then the few words of the craft, then the description.
 *
 * The description comes last because the model reads a limited number of tokens: what is cut is its end, never the type or the wood. White space
 * is collapsed, so that a reformatted description needs no new vector.
 */
export function renderProjectText(project: ProjectTextFields): string {
  const terms = [project.project_type, project.wood_type, project.region].filter(
    (term): term is string => term !== null && term.trim() !== '',
  );
  const parts = [project.name, terms.join(', '), project.description];
  return parts
    .map((part) => part.replace(/\s+/gu, ' ').trim())
    .filter((part) => part !== '')
    .join('. ');
}
