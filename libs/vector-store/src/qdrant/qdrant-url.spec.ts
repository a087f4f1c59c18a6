import { parseQdrantUrl } from './qdrant-url.js';

describe('parseQdrantUrl', () => {
  it.each([
    ['http://127.0.0.1:6333', { url: 'http://127.0.0.1:6333', port: 6333, prefix: undefined }],
    ['http://qdrant', { url: 'http://qdrant', port: 6333, prefix: undefined }],
    ['http://qdrant/', { url: 'http://qdrant', port: 6333, prefix: undefined }],
    ['http://qdrant:80', { url: 'http://qdrant', port: null, prefix: undefined }],
    ['https://vectors.example.org', { url: 'https://vectors.example.org', port: null, prefix: undefined }],
    ['https://vectors.example.org:443/', { url: 'https://vectors.example.org', port: null, prefix: undefined }],
    ['https://vectors.example.org:6333', { url: 'https://vectors.example.org:6333', port: 6333, prefix: undefined }],
    ['https://example.org/index/qdrant/', { url: 'https://example.org', port: null, prefix: '/index/qdrant' }],
    ['http://[::1]:6334/q', { url: 'http://[::1]:6334', port: 6334, prefix: '/q' }],
  ])('reads %s', (text, address) => {
    expect(parseQdrantUrl(text)).toEqual(address);
  });

  it.each(['', 'qdrant:6333', 'grpc://qdrant:6334', 'http://user:secret@qdrant', 'http://qdrant?x=1', 'http://qdrant/#x'])(
    'refuses %j without repeating it',
    (text) => {
      const error = catchError(() => parseQdrantUrl(text));
      expect(error).toMatchObject({ name: 'VectorStoreError', kind: 'rejected' });
      expect(error.message).not.toContain('secret');
    },
  );
});

function catchError(action: () => unknown): Error {
  try {
    action();
  } catch (error) {
    return error as Error;
  }
  throw new Error('Nothing was thrown');
}
