import fc from 'fast-check';
import { CERTIFICATE_ID } from '../admin-doubles.js';
import { PROJECT_BODY, type HttpHarness } from '../http-harness.js';
import type { Operation } from './operations.js';
import { DOCUMENT_BODY } from './row-cases.js';
import type { KnownValues } from './valid-values.js';

type Kind = 'project' | 'document' | 'job' | 'conversation' | 'key';

const PLACES: readonly (readonly [RegExp, Kind])[] = [
  [/projects\/\{id\}/, 'project'],
  [/documents\/\{id\}/, 'document'],
  [/jobs\/\{id\}/, 'job'],
  [/conversations\/\{id\}/, 'conversation'],
  [/keys\/\{id\}/, 'key'],
];
const GENERATIONS = fc.integer({ min: 1, max: 12 });

/** Things that exist in a service, for requests that are to find something. */
export class KnownThings {
  private readonly ids = new Map<Kind, string[]>();

  /** @param headers of every request, for example a key */
  constructor(
    private readonly http: HttpHarness,
    private readonly headers: Record<string, string> = {},
  ) {}

  /** Makes them anew: what came before may have deleted them. */
  async refill(): Promise<void> {
    await this.http.database.query(`UPDATE ingestion_jobs SET state = 'cancelled', finished_at = now() WHERE state <> 'cancelled'`);
    await this.made('/api/v1/collections', { name: 'faq' });
    this.ids.set('project', [await this.made('/api/v1/projects', PROJECT_BODY), await this.made('/api/v1/projects', PROJECT_BODY)]);
    this.ids.set('document', [await this.made('/api/v1/documents', DOCUMENT_BODY), await this.made('/api/v1/documents', DOCUMENT_BODY)]);
    this.ids.set('job', [await this.made('/api/v1/projects/import', '{"name":"a"}\n', { 'content-type': 'application/x-ndjson' })]);
    this.ids.set('conversation', [await this.made('/api/chat/message', { message: 'How?' })]);
    this.ids.set('key', [await this.made('/api/v1/admin/keys', { name: 'fuzz', scopes: ['read'] })]);
  }

  /** What requests to the operation may name. */
  valuesFor({ path, operationId }: Operation): KnownValues {
    const kind = PLACES.find(([place]) => place.test(path))?.[1];
    const existing = kind === undefined || operationId === 'followJob' ? [] : this.ids.get(kind)!;
    const rows = this.ids.get(path.includes('documents') ? 'document' : 'project') ?? [];
    const tags = fc.constantFrom('"v1"', '"v2"', '*', 'W/"v1"', '"v9", "v1"');
    return {
      id: path.includes('generations') ? GENERATIONS : fc.oneof(fc.constantFrom(...existing, CERTIFICATE_ID), fc.uuid()),
      ids: fc.array(fc.oneof(fc.constantFrom(...rows, CERTIFICATE_ID), fc.uuid()), { minLength: 1, maxLength: 4 }),
      collection: fc.constantFrom('faq', 'faq', 'other'),
      source: fc.constantFrom('projects', 'nowhere'),
      generation: GENERATIONS,
      [`${operationId}.name`]: /schedules/.test(path)
        ? fc.constantFrom('statistics', 'reconcile')
        : fc.string({ minLength: 1, maxLength: 20 }),
      conversation_id: fc.constantFrom(...(this.ids.get('conversation') ?? [])),
      // What waits would only make the test slow.
      wait_for_index_ms: fc.integer({ min: 0, max: 3 }),
      wait_ms: fc.integer({ min: 0, max: 3 }),
      cursor: fc.constant(undefined),
      consistency_token: fc.constant(undefined),
      'X-Kindred-Token': fc.constant(undefined),
      'If-Match': tags,
      'If-None-Match': tags,
    };
  }

  private async made(url: string, payload: unknown, headers: Record<string, string> = {}): Promise<string> {
    const options = { payload: payload as object, headers: { ...this.headers, ...headers } };
    const { status, body, text } = await this.http.send('POST', url, options);
    if (status >= 300 && status !== 409) throw new Error(`POST ${url} answered ${status}: ${text}`);
    return body.id ?? body.conversation_id ?? '';
  }
}
