import type { ProjectFields } from './project.js';

/** Changes whenever the same row would be rendered differently: it is part of every text hash. */
export const PROJECT_TEMPLATE_REV = 'projects-1';

/** The columns that decide the text. */
export type ProjectTextFields = Pick<ProjectFields, 'name' | 'description' | 'project_type' | 'wood_type' | 'region'>;

/**
 * Renders the text that is embedded: "oak kitchen in Bavaria. <name>. <description>".
 *
 * The words of the craft stand first, as a person would ask for them, and survive when a long text is cut at its end. Measured on the sample
 * projects with the bundled model, against "<name>. kitchen, oak, Bavaria. <description>": of the best five (or as many as exist) for a type and
 * a wood 80 % have both, not 37 %; the price is a mean reciprocal rank of 0.59, not 0.67, for finding a row by the last sentence of its description.
 *
 * White space is collapsed, so that a reformatted description needs no new vector.
 */
export function renderProjectText({ name, description, project_type, wood_type, region }: ProjectTextFields): string {
  const what = [wood_type, project_type].flatMap(wordsOf).join(' ');
  const where = wordsOf(region).map((word) => (what === '' ? word : `in ${word}`));
  const phrase = [what, ...where].filter((part) => part !== '').join(' ');
  return [phrase, name, description].flatMap(wordsOf).join('. ');
}

/** The text in one line, or nothing when there is none. */
function wordsOf(text: string | null): string[] {
  const line = (text ?? '').replace(/\s+/gu, ' ').trim();
  return line === '' ? [] : [line];
}
