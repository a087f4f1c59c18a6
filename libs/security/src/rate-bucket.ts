/** Something that may be used so often in a window. */
export interface RateBucket {
  /** For example `key:3f9a1c0b7d42`. */
  readonly name: string;
  /** Above 0. */
  readonly limit: number;
}
