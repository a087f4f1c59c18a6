import { HttpSearcher } from './http-searcher.js';

class FakeClient {
  readonly calls: { method: string; path: string; body: unknown }[] = [];

  constructor(private readonly results: readonly unknown[]) {}

  async call<Reply>(method: string, path: string, body?: unknown): Promise<Reply> {
    this.calls.push({ method, path, body });
    return { results: this.results } as Reply;
  }
}

describe('HttpSearcher', () => {
  it('asks for similar projects without a threshold and gives their external ids, or the id of a row that has none', async () => {
    const client = new FakeClient([{ project: { id: '1', external_id: 'b' } }, { project: { id: '2', external_id: null } }]);
    expect(await new HttpSearcher(client).search('projects', 'oak', 'vector', 10)).toEqual(['b', '2']);
    expect(client.calls).toEqual([
      {
        method: 'POST',
        path: '/api/v1/similarity/find-similar',
        body: { query: 'oak', mode: 'vector', top_k: 10, threshold: -1 },
      },
    ]);
  });

  it('asks for more chunks than documents, and counts a document where its best chunk stands', async () => {
    const client = new FakeClient(['b', 'a', 'b', 'c', 'a', 'd'].map((external_id) => ({ document: { id: external_id, external_id } })));
    expect(await new HttpSearcher(client).search('documents', 'oak', 'hybrid', 3)).toEqual(['b', 'a', 'c']);
    expect(client.calls[0]).toEqual({
      method: 'POST',
      path: '/api/v1/query',
      body: { query: 'oak', mode: 'hybrid', top_k: 15, threshold: -1 },
    });
  });

  it('asks for no more than the service gives', async () => {
    const client = new FakeClient([]);
    await new HttpSearcher(client).search('documents', 'oak', 'vector', 50);
    expect(client.calls[0]!.body).toMatchObject({ top_k: 100 });
  });
});
