import type { Document } from './document.js';

/** A document as a search shows it: its content is in the chunks. */
export type FoundDocument = Omit<Document, 'content' | 'chunked_version'>;

/** A chunk that a search has found, as both rows are now. */
export interface FoundChunk {
  readonly id: string;
  /** From 0, through the whole document. */
  readonly ordinal: number;
  /** UTF-16 code units of the document's content. */
  readonly start: number;
  readonly end: number;
  /** Title and headings above. */
  readonly context: string;
  readonly text: string;
  readonly language: string | null;
  readonly document: FoundDocument;
}
