import type { VectorPoint } from '../vector-store.js';
import { splitIntoRequests } from './upsert-batches.js';

function points(count: number, options: { readonly dimensions?: number; readonly note?: string } = {}): VectorPoint[] {
  const payload = { rev: 1, text_hash: 'a', payload_hash: 'b', model_rev: 'c', bucket: '00', note: options.note ?? '' };
  return Array.from({ length: count }, (_, n) => ({ id: String(n), vector: new Float32Array(options.dimensions ?? 4), payload }));
}

const sizes = (requests: VectorPoint[][]): number[] => requests.map(({ length }) => length);

describe('splitIntoRequests', () => {
  it('makes no request of no points', () => expect(splitIntoRequests([])).toEqual([]));

  it('holds at most 128 points per request', () => {
    expect(sizes(splitIntoRequests(points(128)))).toEqual([128]);
    expect(sizes(splitIntoRequests(points(300)))).toEqual([128, 128, 44]);
  });

  it('keeps every point, in order', () => {
    const all = points(300);
    expect(splitIntoRequests(all).flat()).toEqual(all);
  });

  it('keeps every body within the bytes allowed', () => {
    const requests = splitIntoRequests(points(20, { note: 'ü'.repeat(1_000) }), 10_000);
    expect(requests.length).toBeGreaterThan(1);
    for (const request of requests) expect(Buffer.byteLength(JSON.stringify(request))).toBeLessThanOrEqual(10_000);
  });

  it('stays below 32 MiB with the default, however large the vectors', () => {
    const requests = splitIntoRequests(points(128, { dimensions: 65_536 }));
    expect(requests.length).toBeGreaterThan(1);
    for (const request of requests) expect(request.length * 65_536 * 17).toBeLessThan(32 * 1024 * 1024);
  });

  it('refuses a point that no request can hold', () => {
    expect(() => splitIntoRequests(points(1, { note: 'x'.repeat(10_000) }), 10_000)).toThrow(expect.objectContaining({ kind: 'rejected' }));
  });
});
