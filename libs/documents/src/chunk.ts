import type { PayloadValue } from '#vector-store';

/** A row of `chunks` on its way into the table. */
export interface ChunkRow {
  readonly id: string;
  readonly documentId: string;
  readonly collectionId: string;
  /** From 0, through the whole document. */
  readonly ordinal: number;
  readonly start: number;
  readonly end: number;
  /** Title and headings above. */
  readonly context: string;
  readonly text: string;
  /** Declared or detected; `null` = not known. */
  readonly language: string | null;
  readonly payload: Readonly<Record<string, PayloadValue>>;
}

/** Changes whenever the same row would be rendered differently: it is part of every text hash. */
export const CHUNK_TEMPLATE_REV = 'documents-1';

/** Renders the text that is embedded: title and headings in lines of their own, then the text of the chunk. */
export function renderChunk({ context, text }: Pick<ChunkRow, 'context' | 'text'>): string {
  return [context, text].filter((part) => part !== '').join('\n');
}
