import { loadCorpus, waitUntilIndexed } from './corpus-loader.js';

/** Answers like the service: documents in pages of 100, and so many changes pending as are left in `pending`. */
class FakeService {
  readonly calls: string[] = [];
  readonly bodies: Record<string, unknown>[] = [];
  readonly pending = [2, 1, 0];
  private documents = 0;

  constructor(private readonly refused = 0) {}

  async call<Reply>(method: string, path: string, body?: unknown): Promise<Reply> {
    this.calls.push(`${method} ${path}`);
    this.bodies.push((body ?? {}) as Record<string, unknown>);
    return this.replyTo(path, body) as Reply;
  }

  private replyTo(path: string, body: unknown): unknown {
    if (path === '/api/v1/documents/batch') {
      this.documents += (body as { documents: unknown[] }).documents.length;
      return { results: [] };
    }
    if (path.startsWith('/api/v1/documents?')) {
      const offset = Number(new URLSearchParams(path.split('?')[1]).get('cursor') ?? 0);
      const left = this.documents - this.refused - offset;
      return { items: Array(Math.min(100, left)).fill({}), next_cursor: left > 100 ? String(offset + 100) : null };
    }
    if (path === '/api/v1/admin/sync/status') {
      const serving = { source: 'projects', state: 'serving', entries: { pending: this.pending.shift() } };
      return { generations: [{ source: 'documents', state: 'serving', entries: { pending: 0 } }, serving] };
    }
    return { index: { model: 'm' } };
  }
}

const corpusOf = (count: number) => ({
  collection: { name: 'c' },
  rows: Array.from({ length: count }, (_, index) => ({ external_id: String(index) })),
});

describe('loadCorpus', () => {
  it('posts every project', async () => {
    const service = new FakeService();
    await loadCorpus(service, 'projects', corpusOf(20));
    expect(service.calls).toEqual(Array(20).fill('POST /api/v1/projects'));
    expect(service.bodies.map(({ external_id }) => external_id).sort()).toEqual(
      corpusOf(20)
        .rows.map(({ external_id }) => external_id)
        .sort(),
    );
  });

  it('makes the collection, then posts documents in batches that name it', async () => {
    const service = new FakeService();
    await loadCorpus(service, 'documents', corpusOf(150));
    expect(service.calls).toEqual([
      'POST /api/v1/collections',
      'POST /api/v1/documents/batch',
      'POST /api/v1/documents/batch',
      'GET /api/v1/documents?collection=c&limit=100',
      'GET /api/v1/documents?collection=c&limit=100&cursor=100',
    ]);
    expect((service.bodies[1]!['documents'] as unknown[])[0]).toEqual({ collection: 'c', external_id: '0' });
  });

  it('notices documents that a batch refused', async () => {
    await expect(loadCorpus(new FakeService(1), 'documents', corpusOf(3))).rejects.toThrow('took 2 of 3 documents');
  });
});

describe('waitUntilIndexed', () => {
  it('asks until nothing is pending and names the model', async () => {
    const service = new FakeService();
    expect(await waitUntilIndexed(service, 'projects')).toBe('m');
    expect(service.pending).toEqual([]);
  });
});
