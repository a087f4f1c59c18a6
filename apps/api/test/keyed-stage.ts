/// <reference types="jest" />
import { startHttp, type HttpHarness, type HttpOptions, type Json, type Reply } from './http-harness.js';

/** Opens everything. */
export const BOOTSTRAP = 'bootstrap-0123456789abcdef0123456789abcdef';
export const KEYS = '/api/v1/admin/keys';

/** The HTTP stack with keys asked for. */
export class KeyedStage {
  private lastAddress = 0;

  private constructor(readonly http: HttpHarness) {}

  static async set(environment: Record<string, string> = {}, options: HttpOptions = {}): Promise<KeyedStage> {
    return new KeyedStage(await startHttp({ AUTH: 'required', KINDRED_BOOTSTRAP_KEY: BOOTSTRAP, ...environment }, options));
  }

  /** Sends a request with that key; `null` = without one. */
  as = (key: string | null, method: string, url: string, options: Json = {}): Promise<Reply> =>
    this.http.send(method, url, {
      ...options,
      headers: { ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...options.headers },
    });

  statusOf = async (key: string | null, options: Json = {}, method = 'GET', url = '/api/v1/projects'): Promise<number> =>
    (await this.as(key, method, url, options)).status;

  /** Makes a key; the reply that shows it. */
  make = async (body: Json, options: Json = {}): Promise<Json> => {
    const reply = await this.as(BOOTSTRAP, 'POST', KEYS, { payload: body, ...options });
    expect([reply.status, reply.body?.code]).toEqual([201, undefined]);
    return reply.body;
  };

  /** Another address each time, so that what one test sends does not count against another. */
  elsewhere = (): Json => {
    const number = ++this.lastAddress;
    return { remoteAddress: `198.18.${number >> 8}.${number & 255}` };
  };

  close(): Promise<void> {
    return this.http.close();
  }
}
