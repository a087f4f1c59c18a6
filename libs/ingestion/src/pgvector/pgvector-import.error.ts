/** Why an import cannot begin, or cannot go on: a sentence for the person at the terminal. */
export class PgvectorImportError extends Error {
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.name = 'PgvectorImportError';
  }
}
