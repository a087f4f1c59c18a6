/** The collection belongs to somebody else; it is never written to. */
export class ForeignCollectionError extends Error {
  constructor(strangeness: string) {
    super(`${strangeness}; it is left alone`);
    this.name = 'ForeignCollectionError';
  }
}
