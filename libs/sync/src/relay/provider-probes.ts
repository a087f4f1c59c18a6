import type { EmbedderDescriptor, EmbedderRegistry } from '#embeddings';
import type { VectorStore } from '#vector-store';

const PROBE_TIMEOUT_MS = 2_000;
const PROBE_TEXT = 'ready?';

/** Whether the store is alive, so that a failed write says something about what was written. */
export async function doesStoreAnswer(store: VectorStore, timeoutMs: number): Promise<boolean> {
  try {
    await store.ping({ timeoutMs: Math.min(PROBE_TIMEOUT_MS, timeoutMs) });
    return true;
  } catch {
    return false;
  }
}

/** Whether the embedder can embed a harmless text, so that a failure says something about the text that failed. */
export async function doesEmbedderAnswer(embedders: EmbedderRegistry, descriptor: EmbedderDescriptor): Promise<boolean> {
  try {
    await embedders.get(descriptor).embedDocuments([PROBE_TEXT], { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
    return true;
  } catch {
    return false;
  }
}
