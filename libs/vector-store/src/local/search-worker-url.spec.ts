import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { searchWorkerUrl } from './search-worker-url.js';

describe('searchWorkerUrl', () => {
  it('names the neighbour when it runs from the build', () => {
    expect(searchWorkerUrl('file:///app/dist/libs/vector-store/src/local/search-worker-url.js').href).toBe(
      'file:///app/dist/libs/vector-store/src/local/search-worker.js',
    );
  });

  it('names the built file when it runs from the sources', () => {
    expect(searchWorkerUrl('file:///app/libs/vector-store/src/local/search-worker-url.ts').href).toBe(
      'file:///app/dist/libs/vector-store/src/local/search-worker.js',
    );
    expect(existsSync(fileURLToPath(searchWorkerUrl()))).toBe(true);
    expect(searchWorkerUrl(pathToFileURL(__filename).href).href).toBe(searchWorkerUrl().href);
  });
});
