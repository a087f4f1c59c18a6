/**
 * What the double of a provider of answers does instead of answering properly.
 *
 * - `status`: refuses, for example 429 with `{'retry-after': '1'}` or 500; `code` becomes `error.code` of the body
 * - `slow`: answers properly after `ms`; `hang`: never; `stall`: sends its first piece and then nothing
 * - `cut`: ends the connection in the middle of its answer
 * - `empty`: an answer without text; `html`: a page with status 200; `body`: that text with status 200
 * - `length`: uses up its tokens; `filtered`: refuses what it wrote itself
 */
export type GenerationFault =
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly code?: string }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'body'; readonly body: string; readonly contentType?: string }
  | { readonly kind: 'hang' | 'stall' | 'cut' | 'empty' | 'html' | 'length' | 'filtered' };
