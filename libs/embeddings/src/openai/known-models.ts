export interface KnownModel {
  readonly dimensions: number;
  /** Whether it gives vectors of fewer dimensions when it is asked to. */
  readonly canShorten: boolean;
}

/** OpenAI's own, from its documentation. */
const KNOWN_MODELS: ReadonlyMap<string, KnownModel> = new Map([
  ['text-embedding-3-small', { dimensions: 1536, canShorten: true }],
  ['text-embedding-3-large', { dimensions: 3072, canShorten: true }],
  ['text-embedding-ada-002', { dimensions: 1536, canShorten: false }],
]);

export function knownModel(model: string): KnownModel | null {
  return KNOWN_MODELS.get(model) ?? null;
}
