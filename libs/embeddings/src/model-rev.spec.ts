import type { EmbedderDescriptor } from './embedder.js';
import { modelLabelOf, modelRevOf } from './model-rev.js';

const DESCRIPTOR: EmbedderDescriptor = {
  provider: 'local',
  model: 'all-MiniLM-L6-v2',
  revision: 'cc84cb5f2ccd',
  dtype: 'q8',
  dimensions: 384,
  pooling: 'mean',
  query_prefix: '',
  document_prefix: '',
  max_tokens: 256,
};

describe('modelRevOf', () => {
  it('stays what it was: another value would make every stored vector unusable', () => {
    expect(modelRevOf(DESCRIPTOR)).toBe('e996eeeb63636335');
  });

  it('does not depend on the order of the keys, as they come from JSON', () => {
    expect(modelRevOf(Object.fromEntries(Object.entries(DESCRIPTOR).reverse()) as unknown as EmbedderDescriptor)).toBe(
      modelRevOf(DESCRIPTOR),
    );
  });

  it.each(Object.keys(DESCRIPTOR) as (keyof EmbedderDescriptor)[])('changes with %s', (key) => {
    expect(modelRevOf({ ...DESCRIPTOR, [key]: 'other' })).not.toBe(modelRevOf(DESCRIPTOR));
  });
});

describe('modelLabelOf', () => {
  it('is the short name that people read', () => {
    expect(modelLabelOf(DESCRIPTOR)).toBe('all-MiniLM-L6-v2:q8');
    expect(modelLabelOf({ ...DESCRIPTOR, provider: 'openai', model: 'text-embedding-3-large' })).toBe('text-embedding-3-large');
  });
});
