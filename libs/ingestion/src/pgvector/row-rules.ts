import { DOCUMENT_RULES, findMetadataProblems, type Collection, type DocumentFields } from '#documents';
import type { JsonValue } from '#kernel';
import { z } from 'zod';
import type { SourceRow } from './source-row.js';

/** The rules of the API; only the title may be empty, because a table may have none. */
const RULES = z.object({ ...DOCUMENT_RULES, title: z.union([z.literal(''), DOCUMENT_RULES.title]) });

/**
 * Makes a document of a row, by the rules that the API has.
 *
 * Without a title the text that is embedded is the content alone, which is what the vector of the source was made from.
 *
 * @returns the fields, or why the row is refused
 */
export function documentOfRow({ id, values }: SourceRow, collection: Pick<Collection, 'metadata_keys'>): DocumentFields | string {
  const metadata = metadataOf(values.metadata ?? null);
  if (typeof metadata === 'string') return metadata;
  const parsed = RULES.safeParse({
    external_id: id,
    title: values.title ?? '',
    content: values.content ?? '',
    kind: emptyAsNull(values.kind),
    source_uri: emptyAsNull(values.source_uri),
    language: emptyAsNull(values.language),
    metadata: metadata.value,
  });
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0]!;
    return `${path.join('.')}: ${message}`;
  }
  const [problem] = findMetadataProblems(parsed.data.metadata, collection.metadata_keys, 'metadata');
  return problem === undefined ? parsed.data : `${problem.pointer} ${problem.detail}`;
}

function metadataOf(text: string | null): { readonly value: JsonValue } | string {
  if (text === null) return { value: {} };
  try {
    return { value: (JSON.parse(text) as JsonValue) ?? {} };
  } catch {
    return 'metadata: is not JSON';
  }
}

function emptyAsNull(text: string | null | undefined): string | null {
  return text === undefined || text === '' ? null : text;
}
