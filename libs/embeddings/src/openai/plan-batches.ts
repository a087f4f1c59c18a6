export interface BatchLimits {
  readonly maxTexts: number;
  /** Estimated tokens of all texts of a request. */
  readonly maxTokens: number;
}

/** Cuts the texts into requests, in order; a text that is too long for any stands alone. */
export function planBatches<Text extends { readonly tokens: number }>(texts: readonly Text[], limits: BatchLimits): Text[][] {
  const batches: Text[][] = [];
  let batch: Text[] = [];
  let tokens = 0;
  for (const text of texts) {
    if (batch.length > 0 && (batch.length >= limits.maxTexts || tokens + text.tokens > limits.maxTokens)) {
      batches.push(batch);
      batch = [];
      tokens = 0;
    }
    batch.push(text);
    tokens += text.tokens;
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
