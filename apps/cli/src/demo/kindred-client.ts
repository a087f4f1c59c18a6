/** A reply of the service that is not a success. */
export class ServiceReplyError extends Error {}

export interface SearchReply {
  readonly results: readonly {
    readonly rank: number;
    readonly similarity: number;
    readonly project: {
      readonly name: string;
      readonly project_type: string | null;
      readonly region: string | null;
      readonly wood_type: string | null;
      readonly final_price: number | null;
      readonly currency: string;
    };
  }[];
  readonly search_time_ms: number;
  readonly source: string;
  readonly index: { readonly model: string; readonly pending: number };
}

/** Speaks the public API, as any client would. */
export class KindredClient {
  constructor(private readonly url: string) {}

  async hasProjects(): Promise<boolean> {
    const list = await this.call<{ items: unknown[] }>('GET', '/api/v1/projects?limit=1');
    return list.items.length > 0;
  }

  async createProject(project: unknown): Promise<void> {
    await this.call('POST', '/api/v1/projects', project);
  }

  async findSimilar(query: string, topK: number): Promise<SearchReply> {
    return this.call('POST', '/api/v1/similarity/find-similar', { query, top_k: topK });
  }

  private async call<Reply>(method: string, path: string, body?: unknown): Promise<Reply> {
    const reply = await fetch(`${this.url}${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    if (!reply.ok) throw new ServiceReplyError(`${method} ${path} answered ${reply.status}: ${await reply.text()}`);
    return (await reply.json()) as Reply;
  }
}
