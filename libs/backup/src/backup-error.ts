/** A backup cannot be made, or not be restored: a sentence for the person who wants it, without rows or passwords. */
export class BackupError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'BackupError';
  }
}
