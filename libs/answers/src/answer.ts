/** Where a statement of an answer comes from. */
export interface Citation {
  /** As it stands in the text: `[1]`. */
  readonly number: number;
  readonly document_id: string;
  readonly title: string;
  readonly external_id: string | null;
  readonly chunk_id: string;
  /** UTF-16 code units of the document's content. */
  readonly start: number;
  readonly end: number;
}

/** Why a configured model has not written the answer: it did not, or it cited none of the passages. */
export const FALLBACKS = ['provider_unavailable', 'not_cited'] as const;
export type Fallback = (typeof FALLBACKS)[number];

export interface Answer {
  readonly text: string;
  /** `extractive`: sentences of the passages as they are; `generated`: a model has written it, and every citation is one of the passages; without one, it says that they do not answer. */
  readonly mode: 'generated' | 'extractive';
  readonly citations: readonly Citation[];
  /** Of a generated answer. */
  readonly model?: string;
  /** Of an extractive answer that was to be a generated one. */
  readonly fallback?: Fallback;
}
