export interface QdrantVectorStoreOptions {
  /**
   * `http(s)://host[:port][/prefix]`. Without a port: 443 for https, 6333 for http. A path is kept as a prefix of every request.
   *
   * @example 'https://vectors.example.org/qdrant'
   */
  readonly url: string;
  /** Sent as the header `api-key`; `null` = the server is open. */
  readonly apiKey: string | null;
  /** Budget of one search, milliseconds, minimum 1. */
  readonly searchTimeoutMs: number;
  /** Budget of one write and of the reads that prove the index (scroll, retrieve, counts), milliseconds, minimum 1. */
  readonly writeTimeoutMs: number;
  /** Budget of creating, dropping and aliasing, milliseconds. Default 60,000; snapshots get ten times as much. */
  readonly adminTimeoutMs?: number;
}
