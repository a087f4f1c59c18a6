import { join } from 'node:path';
import type { EmbedderDescriptor } from '../embedder.js';

type Dtype = EmbedderDescriptor['dtype'];

/** Where each precision lies in a model folder; the names that ONNX exports on model hubs use. */
const ONNX_FILES: Readonly<Record<Dtype, string>> = {
  q8: 'onnx/model_quantized.onnx',
  fp32: 'onnx/model.onnx',
  fp16: 'onnx/model_fp16.onnx',
};
export const CONFIG_FILE = 'config.json';
export const TOKENIZER_FILE = 'tokenizer.json';
export const TOKENIZER_CONFIG_FILE = 'tokenizer_config.json';
/** How the vectors of the tokens become one, as sentence-transformers says it; many exports leave it out. */
export const POOLING_FILE = '1_Pooling/config.json';

export const onnxFile = (dtype: Dtype): string => ONNX_FILES[dtype];

/** Weights that are too large for an ONNX file lie beside it. */
export const weightsBeside = (dtype: Dtype): string => `${ONNX_FILES[dtype]}_data`;

/** What every model consists of. */
export const requiredFiles = (dtype: Dtype): readonly string[] => [CONFIG_FILE, TOKENIZER_FILE, TOKENIZER_CONFIG_FILE, onnxFile(dtype)];

/** What belongs to a model where it is there. */
export const optionalFiles = (dtype: Dtype): readonly string[] => [POOLING_FILE, weightsBeside(dtype)];

/** The files that an embedding thread loads, and whether they are what they should be. */
export interface ModelFiles {
  readonly onnxFile: string;
  readonly tokenizerFile: string;
  readonly tokenizerConfigFile: string;
  /**
   * Resolves when the files are there and whole. What has succeeded once is not done again.
   *
   * @throws FatalStartupError naming the file that is missing or damaged
   * @throws DomainError `search.embedder-unavailable` when they may be there later
   */
  verify(): Promise<void>;
}

/** Where the files that a thread loads lie in a folder. */
export function threadFiles(folder: string, dtype: Dtype): Omit<ModelFiles, 'verify'> {
  return {
    onnxFile: join(folder, onnxFile(dtype)),
    tokenizerFile: join(folder, TOKENIZER_FILE),
    tokenizerConfigFile: join(folder, TOKENIZER_CONFIG_FILE),
  };
}
