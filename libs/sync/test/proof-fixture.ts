import type { Certificate, IndexSource } from '../src/index.js';

/** Differences by kind. */
export function describeCounts({ report }: Pick<Certificate, 'report'>): Record<string, number> {
  return Object.fromEntries(Object.entries(report.differences).map(([kind, { count }]) => [kind, count]));
}

/** Counts the rows that are loaded from a source. */
export class CountingSource {
  total = 0;
  largest = 0;

  constructor(private readonly source: IndexSource) {}

  async during<T>(work: () => Promise<T>): Promise<T> {
    const load = this.source.load.bind(this.source);
    const spy = jest.spyOn(this.source, 'load').mockImplementation((ids, session) => {
      this.total += ids.length;
      this.largest = Math.max(this.largest, ids.length);
      return load(ids, session);
    });
    try {
      return await work();
    } finally {
      spy.mockRestore();
    }
  }
}
