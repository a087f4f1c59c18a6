import { readFileSync } from 'node:fs';
import { QdrantDouble } from '#testing';

interface Exchange {
  readonly what: string;
  readonly request: { readonly method: string; readonly path: string; readonly body?: unknown };
  readonly response: { readonly status: number; readonly contentType?: string; readonly body: unknown };
}

const record = JSON.parse(readFileSync(new URL('./qdrant-observed.json', import.meta.url), 'utf8')) as {
  server: string;
  exchanges: Exchange[];
};

/** Differs from run to run on a real server as well, so it is not compared. `version` is the operation that wrote a point last. */
const VOLATILE_KEYS = new Set(['time', 'operation_id', 'commit', 'checksum', 'size', 'creation_time']);
const SNAPSHOT_NAME = /^(.+?)-.*\.snapshot$/;
/** The record holds float32 sums; the order of their terms is the server's business. */
const SCORE_DIGITS = 5;

/** What must be equal: everything but the volatile values, scores rounded, points of equal score and facet values of equal count in one order. */
function comparable(value: unknown, isRanked: boolean): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => comparable(item, isRanked));
    return isRanked ? items.sort(byRank) : items;
  }
  if (typeof value !== 'object' || value === null) return typeof value === 'string' ? value.replace(SNAPSHOT_NAME, '$1.snapshot') : value;
  const isScoredPoint = 'score' in value;
  const entries = Object.entries(value).filter(([key]) => !VOLATILE_KEYS.has(key) && !(isScoredPoint && key === 'version'));
  return Object.fromEntries(
    entries.map(([key, entry]) => [key, key === 'score' ? Number(Number(entry).toFixed(SCORE_DIGITS)) : comparable(entry, isRanked)]),
  );
}

function byRank(a: unknown, b: unknown): number {
  const [first, second] = [a, b].map((item) => item as { score?: number; count?: number; id?: string; value?: string });
  const [x, y] = [first!.score ?? first!.count, second!.score ?? second!.count];
  if (x === undefined || y === undefined) return 0;
  return y - x || String(first!.id ?? first!.value).localeCompare(String(second!.id ?? second!.value));
}

/** The one body that the record abbreviates. */
function bodyText(body: unknown): string | undefined {
  if (body === undefined || typeof body === 'string') return body;
  return JSON.stringify(body).replace(
    /"x repeated ([\d,]+) times"/,
    (_text, count: string) => `"${'x'.repeat(Number(count.replaceAll(',', '')))}"`,
  );
}

describe('the double of Qdrant against a record of a real server', () => {
  const double = new QdrantDouble({ version: record.server });
  let compared = 0;

  beforeAll(async () => void (await double.start()));
  afterAll(() => double.stop());

  // In their order: each exchange builds on the state that those before it left.
  it.each(record.exchanges.map((exchange, position) => [position, exchange.what, exchange] as const))(
    '%i: %s',
    async (_position, _what, { request, response }) => {
      const body = bodyText(request.body);
      const reply = await fetch(double.url + request.path, {
        method: request.method,
        body,
        headers: body === undefined ? {} : { 'content-type': 'application/json' },
      });
      expect(reply.status).toBe(response.status);
      expect(reply.headers.get('content-type')).toBe(response.contentType ?? null);
      const text = await reply.text();
      const actual: unknown = response.contentType === 'application/json' ? JSON.parse(text) : text;
      // The order of an MMR answer is its very content; others are ranked by score or count.
      const isRanked = !JSON.stringify(request.body ?? null).includes('"mmr"');
      expect(comparable(actual, isRanked)).toEqual(comparable(response.body, isRanked));
      compared++;
    },
  );

  it('has compared all 89 exchanges', () => {
    expect(record.exchanges).toHaveLength(89);
    expect(compared).toBe(89);
  });
});
