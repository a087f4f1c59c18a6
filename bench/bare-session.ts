import { Tokenizer } from '@huggingface/tokenizers';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';

/** Token ids of one text, special tokens included. */
export type TokenIds = readonly number[];

export interface Feeds {
  readonly [name: string]: Tensor;
}

/** The part of a tokenizer that is used here. */
export interface TextTokenizer {
  encode(text: string): { readonly ids: readonly number[] };
}

// The package's own types refer to a path that it does not ship, so they do not resolve.
const TypedTokenizer = Tokenizer as unknown as new (tokenizer: object, config: object) => TextTokenizer;

/** The tokenizer of the bundled model. */
export function loadTokenizer(modelFolder: string): TextTokenizer {
  const read = (name: string): object => JSON.parse(readFileSync(join(modelFolder, name), 'utf8')) as object;
  return new TypedTokenizer(read('tokenizer.json'), read('tokenizer_config.json'));
}

/** A session with `threads` threads and nothing around it: the floor that no service can get under. */
export async function openBareSession(modelFolder: string, threads: number): Promise<InferenceSession> {
  return InferenceSession.create(join(modelFolder, 'onnx', 'model_quantized.onnx'), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
}

/** The inputs of one text, made before the clock starts. */
export function feedsOf(ids: TokenIds): Feeds {
  const tensor = (values: BigInt64Array): Tensor => new Tensor('int64', values, [1, ids.length]);
  return {
    input_ids: tensor(BigInt64Array.from(ids, BigInt)),
    attention_mask: tensor(new BigInt64Array(ids.length).fill(1n)),
    token_type_ids: tensor(new BigInt64Array(ids.length)),
  };
}
