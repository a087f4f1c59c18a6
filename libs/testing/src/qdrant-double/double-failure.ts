/** A reply other than 200. `message` is the text that Qdrant puts into `status.error`. */
export class DoubleFailure extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
    this.name = 'DoubleFailure';
  }
}

export const noSuchCollection = (name: string): DoubleFailure => new DoubleFailure(404, `Not found: Collection \`${name}\` doesn't exist!`);
export const noSuchPoint = (id: string): DoubleFailure => new DoubleFailure(404, `Not found: No point with id ${id} found`);
export const badJson = (detail: string): DoubleFailure => new DoubleFailure(400, `Format error in JSON body: ${detail}`);
export const wrongInput = (detail: string): DoubleFailure => new DoubleFailure(400, `Wrong input: ${detail}`);
