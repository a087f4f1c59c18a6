/** The compiled entry of the search thread, whether this code runs from the build or from the sources (tests). */
export function searchWorkerUrl(moduleUrl: string = import.meta.url): URL {
  if (moduleUrl.endsWith('.js')) return new URL('./search-worker.js', moduleUrl);
  // Threads run outside the test runner and cannot read TypeScript: they take the build, which `npm test` makes first.
  return new URL('../../../../dist/libs/vector-store/src/local/search-worker.js', moduleUrl);
}
