import { refusalOf } from './refusal.js';
import { ServiceError } from './service-error.js';

export interface SearchReply {
  readonly results: readonly {
    readonly rank: number;
    readonly similarity: number | null;
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
  readonly degraded: boolean;
  readonly source: string;
  readonly index: { readonly model: string; readonly pending: number } | null;
}

export interface QueryReply {
  readonly results: readonly {
    readonly rank: number;
    readonly similarity: number | null;
    readonly snippet: string;
    readonly document: { readonly title: string; readonly external_id: string | null; readonly language: string | null };
  }[];
  readonly answer?: {
    readonly text: string;
    readonly mode: string;
    readonly citations: readonly { readonly number: number; readonly title: string; readonly external_id: string | null }[];
  };
  readonly query_time_ms: number;
  readonly degraded: boolean;
  readonly source: string;
  readonly index: { readonly model: string; readonly pending: number } | null;
}

export type QueryParameters = Readonly<Record<string, string | number | boolean | undefined>>;

const ADMIN = '/api/v1/admin';

/** Speaks the public API, as any client would. */
export class KindredClient {
  /** @param key sent as a bearer token; `null` = none */
  constructor(
    readonly url: string,
    private readonly key: string | null = null,
  ) {}

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

  async hasCollection(name: string): Promise<boolean> {
    const { items } = await this.call<{ items: { name: string }[] }>('GET', '/api/v1/collections');
    return items.some((collection) => collection.name === name);
  }

  async createCollection(collection: object): Promise<void> {
    await this.call('POST', '/api/v1/collections', collection);
  }

  /** Creates or replaces documents, at most 100. @returns how many were refused */
  async upsertDocuments(documents: readonly object[]): Promise<number> {
    return (await this.call<{ failed: number }>('POST', '/api/v1/documents/batch', { documents })).failed;
  }

  async query(request: {
    readonly query: string;
    readonly top_k: number;
    readonly collection: string;
    readonly answer?: boolean;
  }): Promise<QueryReply> {
    return this.call('POST', '/api/v1/query', request);
  }

  /** Reads a health path, whose replies keep their own body also with 503. @throws ServiceError */
  async health<Reply>(path: string): Promise<Reply> {
    const reply = await this.request(path, { method: 'GET' });
    const text = await this.textOf(reply);
    try {
      const body = JSON.parse(text) as Reply & { readonly status?: unknown };
      // A problem has a status, too: that of HTTP.
      if (typeof body.status === 'string') return body;
    } catch {
      // What a proxy says of a service that is away.
    }
    throw refusalOf({ call: `GET ${path}`, status: reply.status, body: text, retryAfter: null, hasKey: this.key !== null });
  }

  /** Reads an admin route; parameters that are undefined are left out. @throws ServiceError */
  async read<Reply>(path: string, parameters: QueryParameters = {}): Promise<Reply> {
    return this.get(`${ADMIN}/${path}`, parameters);
  }

  /** The same of any route. @throws ServiceError */
  async get<Reply>(path: string, parameters: QueryParameters): Promise<Reply> {
    const given = new URLSearchParams();
    for (const [name, value] of Object.entries(parameters)) if (value !== undefined) given.set(name, String(value));
    const query = given.toString();
    return this.call('GET', `${path}${query === '' ? '' : `?${query}`}`);
  }

  /** Tells an admin route to do something. @throws ServiceError */
  async act<Reply>(path: string, body: object = {}): Promise<Reply> {
    return this.call('POST', `${ADMIN}/${path}`, body);
  }

  /** Uploads a file to an import route; answers with the job. @param sizeBytes `null` = not known before its end. @throws ServiceError */
  async upload<Reply>(path: string, file: ReadableStream<Uint8Array>, sizeBytes: number | null, contentType: string): Promise<Reply> {
    // With its length, so that a file that is too large is refused before it has been sent.
    const length: Record<string, string> = sizeBytes === null ? {} : { 'content-length': String(sizeBytes) };
    // A stream has no length for fetch, which wants to be told that it will not be answered before it has ended.
    const init = { method: 'POST', body: file, duplex: 'half' as const, headers: { 'content-type': contentType, ...length } };
    return this.json(`POST ${path}`, await this.request(path, init));
  }

  /** Reads a reply as it arrives. @throws ServiceError */
  async download(path: string): Promise<ReadableStream<Uint8Array>> {
    const reply = await this.request(path, { method: 'GET' });
    if (!reply.ok) throw await this.refusal(`GET ${path}`, reply);
    return reply.body ?? new Blob([]).stream();
  }

  async job<Reply>(id: string): Promise<Reply> {
    return this.call('GET', `/api/v1/jobs/${id}`);
  }

  /** @param limit at most 1,000 */
  async jobProblems<Reply>(id: string, limit: number): Promise<Reply> {
    return this.call('GET', `/api/v1/jobs/${id}/problems?limit=${limit}`);
  }

  async resumeJob<Reply>(id: string): Promise<Reply> {
    return this.call('POST', `/api/v1/jobs/${id}/resume`);
  }

  /** Any route of the API; `undefined` where the reply has no body. @throws ServiceError */
  async call<Reply>(method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Reply> {
    const json =
      body === undefined ? { headers } : { body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } };
    return this.json(`${method} ${path}`, await this.request(path, { method, ...json }));
  }

  private async request(path: string, init: RequestInit & { readonly headers?: Readonly<Record<string, string>> }): Promise<Response> {
    try {
      const headers = { ...init.headers, ...(this.key === null ? {} : { authorization: `Bearer ${this.key}` }) };
      const reply = await fetch(`${this.url}${path}`, { ...init, headers, redirect: 'manual' });
      if (reply.status < 300 || reply.status >= 400) return reply;
      await reply.body?.cancel();
      throw this.redirection(reply.headers.get('location'));
    } catch (error) {
      if (error instanceof ServiceError) throw error;
      throw new ServiceError(`Nothing answers at ${this.url} (${reasonOf(error)}). Is Kindred running there?`, null, { isPassing: true });
    }
  }

  /** Kindred redirects nobody; whoever does might have the key sent elsewhere, or a change made into a mere look. */
  private redirection(location: string | null): ServiceError {
    const target = location !== null && URL.canParse(location, this.url) ? ` to ${new URL(location, this.url).origin}` : '';
    return new ServiceError(`${this.url} redirects${target}, which is not followed.`, null, {
      advice: 'Give the address of Kindred itself with --url.',
    });
  }

  private async json<Reply>(call: string, reply: Response): Promise<Reply> {
    if (!reply.ok) throw await this.refusal(call, reply);
    const text = await this.textOf(reply);
    if (text === '') return undefined as Reply;
    try {
      return JSON.parse(text) as Reply;
    } catch {
      throw new ServiceError(`${call} answered something else than JSON. Is ${this.url} Kindred?`);
    }
  }

  private async refusal(call: string, reply: Response): Promise<ServiceError> {
    const { status, headers } = reply;
    const body = await this.textOf(reply);
    return refusalOf({ call, status, body, retryAfter: headers.get('retry-after'), hasKey: this.key !== null });
  }

  private async textOf(reply: Response): Promise<string> {
    try {
      return await reply.text();
    } catch (error) {
      throw new ServiceError(`The answer of ${this.url} was cut off (${reasonOf(error)}).`, null, { isPassing: true });
    }
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  if (typeof cause === 'object' && cause !== null && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return cause instanceof Error ? cause.message : String(cause);
}
