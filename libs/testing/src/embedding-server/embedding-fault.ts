/**
 * What the double of an embedding provider does instead of answering properly.
 *
 * - `status`: refuses, for example 429 with `{'retry-after': '1'}` or 500; `code` becomes `error.code` of the body
 * - `slow`: answers properly after `ms`; `hang`: never
 * - `cut`: begins its answer and ends the connection
 * - `shuffled`: vectors in another order, each with its right index
 * - `short`, `long`: one vector less or more; `twice`: an index twice and another one not at all
 * - `nan`, `zero`, `wrong-dimension`: the first vector cannot be used
 * - `html`: a page with status 200; `body`: that text with status 200
 */
export type EmbeddingFault =
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly code?: string }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'body'; readonly body: string }
  | {
      readonly kind: 'hang' | 'cut' | 'shuffled' | 'short' | 'long' | 'twice' | 'nan' | 'zero' | 'wrong-dimension' | 'html';
    };

interface VectorItem {
  readonly object: 'embedding';
  readonly index: number;
  readonly embedding: readonly (number | null)[];
}

/** The reply of `POST /embeddings`, as OpenAI gives it. */
export interface VectorReply {
  readonly object: 'list';
  readonly data: readonly VectorItem[];
  readonly model: string;
  readonly usage: { readonly prompt_tokens: number; readonly total_tokens: number };
}

/** The body of the reply with the fault in it; the text of a proper one for faults that are not about the body. */
export function faultyBody(reply: VectorReply, { kind, ...fault }: EmbeddingFault): string {
  const { data } = reply;
  const first = data[0]!;
  const withFirst = (embedding: readonly (number | null)[]): string =>
    JSON.stringify({ ...reply, data: [{ ...first, embedding }, ...data.slice(1)] });
  switch (kind) {
    case 'shuffled':
      return JSON.stringify({ ...reply, data: [...data].reverse() });
    case 'short':
      return JSON.stringify({ ...reply, data: data.slice(1) });
    case 'long':
      return JSON.stringify({ ...reply, data: [...data, { ...first, index: data.length }] });
    case 'twice':
      return JSON.stringify({ ...reply, data: [...data.slice(0, -1), { ...data.at(-1)!, index: 0 }] });
    case 'nan':
      // As Python writes it: no JSON.
      return withFirst([null, ...first.embedding.slice(1)]).replace('[null', '[NaN');
    case 'zero':
      return withFirst(first.embedding.map(() => 0));
    case 'wrong-dimension':
      return withFirst(first.embedding.slice(1));
    case 'html':
      return '<!doctype html><title>502 Bad Gateway</title>';
    default:
      return 'body' in fault ? (fault as { readonly body: string }).body : JSON.stringify(reply);
  }
}
