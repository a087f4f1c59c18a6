/** Speaks the public API of a service. */
export interface ApiClient {
  /** The body of the reply; rejects on any status but 2xx, saying what the service said. */
  call<Reply>(method: string, path: string, body?: unknown): Promise<Reply>;
}

/** A service that runs elsewhere and belongs to somebody else: it is asked, never changed. */
export class RunningService implements ApiClient {
  constructor(private readonly url: string) {}

  async call<Reply>(method: string, path: string, body?: unknown): Promise<Reply> {
    const reply = await fetch(new URL(path, this.url), {
      method,
      ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      throw new Error(`Nothing answers at ${this.url}`, { cause: error });
    });
    const text = await reply.text();
    if (!reply.ok) throw new Error(`${method} ${path} answered ${reply.status}: ${text}`);
    return JSON.parse(text) as Reply;
  }
}
