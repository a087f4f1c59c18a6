export type FilterScalar = string | number | boolean;

/**
 * What a search may keep. A point without the field matches neither `any` nor `range`.
 *
 * - `any`: the field equals one of the values (at least one value)
 * - `range`: the numeric field lies within all given bounds
 * - `and`: all hold (empty = everything); `or`: at least one holds; `not`: it does not hold
 * - `ids`: the point's id is one of these
 */
export type VectorFilter =
  | { readonly kind: 'any'; readonly field: string; readonly values: readonly FilterScalar[] }
  | {
      readonly kind: 'range';
      readonly field: string;
      readonly gt?: number;
      readonly gte?: number;
      readonly lt?: number;
      readonly lte?: number;
    }
  | { readonly kind: 'and'; readonly filters: readonly VectorFilter[] }
  | { readonly kind: 'or'; readonly filters: readonly VectorFilter[] }
  | { readonly kind: 'not'; readonly filter: VectorFilter }
  | { readonly kind: 'ids'; readonly ids: readonly string[] };
