import { PgvectorImportError } from './pgvector-import.error.js';

/** What a document is made from. */
export const IMPORT_FIELDS = [
  'external_id',
  'content',
  'title',
  'kind',
  'collection',
  'metadata',
  'source_uri',
  'language',
  'vector',
] as const;
export type ImportField = (typeof IMPORT_FIELDS)[number];

/** The column of each field that has one; `external_id` and `content` always do. */
export type ColumnMapping = Readonly<Partial<Record<ImportField, string>> & Record<'external_id' | 'content', string>>;

const REQUIRED = ['external_id', 'content'] as const satisfies readonly ImportField[];

/** Reads `field=column,field=column`. @throws PgvectorImportError */
export function parseColumnMapping(text: string): ColumnMapping {
  const mapping: Partial<Record<ImportField, string>> = {};
  for (const pair of text.split(',')) {
    const [field, column, ...rest] = pair.split('=').map((part) => part.trim());
    if (field === undefined || column === undefined || column === '' || rest.length > 0) {
      throw new PgvectorImportError(`--map must be like content=text_column,external_id=id, not ${JSON.stringify(pair)}`);
    }
    if (!isImportField(field)) {
      throw new PgvectorImportError(`--map knows no field ${JSON.stringify(field)}; there are ${IMPORT_FIELDS.join(', ')}`);
    }
    if (mapping[field] !== undefined) throw new PgvectorImportError(`--map names ${field} twice`);
    mapping[field] = column;
  }
  const { external_id, content } = mapping;
  if (external_id === undefined || content === undefined) {
    throw new PgvectorImportError(`--map must name a column for ${REQUIRED.filter((field) => mapping[field] === undefined).join(' and ')}`);
  }
  return { ...mapping, external_id, content };
}

function isImportField(name: string): name is ImportField {
  return (IMPORT_FIELDS as readonly string[]).includes(name);
}
