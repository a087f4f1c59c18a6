import { issueKey } from './api-key.js';
import { withoutSecrets } from './without-secrets.js';

describe('withoutSecrets', () => {
  it('masks keys wherever they are, and fields that are called like a secret', () => {
    const { text } = issueKey();
    const masked = withoutSecrets({
      note: `use ${text} please`,
      list: [{ key: 'x' }],
      api_key: 'x',
      password: 'x',
      deep: { token: 'x' },
      short: text.slice(0, 40),
    });
    expect(masked).toEqual({
      note: 'use [masked] please',
      list: [{ key: '[masked]' }],
      api_key: '[masked]',
      password: '[masked]',
      deep: { token: '[masked]' },
      short: '[masked]',
    });
  });

  it('leaves what operators ask for', () => {
    const body = {
      source: 'projects',
      ids: ['0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11'],
      force: true,
      budget_ms: 5,
      embedder: { max_tokens: 256 },
      chunk_tokens: 100,
      name: null,
    };
    expect(withoutSecrets(body)).toEqual(body);
  });

  it('takes what is nested without end', () => {
    let nested: unknown = 'x';
    for (let level = 0; level < 10_000; level++) nested = [nested];
    expect(JSON.stringify(withoutSecrets(nested))).toContain('masked');
  });
});
