import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { EmbedderDescriptor } from './embedder.js';
import { ModelFolderError } from './model-folder.errors.js';

/** Where each precision lies in a model folder; the names that ONNX exports on model hubs use. */
const ONNX_FILES = { q8: 'onnx/model_quantized.onnx', fp32: 'onnx/model.onnx', fp16: 'onnx/model_fp16.onnx' } as const;

const SUMS_FILE = 'SHA256SUMS';
const CONFIG_FILE = 'config.json';
const TOKENIZER_FILES = ['tokenizer.json', 'tokenizer_config.json'] as const;

/** Hex digits of a checksum that name the weights in a descriptor: 48 bits, enough to tell the few models of one deployment apart. */
const REVISION_DIGITS = 12;

/** Large reads make few turns of the event loop, and 1 MiB is hashed in under a millisecond. */
const HASH_CHUNK_BYTES = 1 << 20;

export interface ModelTexts {
  readonly max_tokens: number;
  readonly query_prefix: string;
  readonly document_prefix: string;
}

/**
 * One model on disk: `config.json`, the tokenizer, the ONNX file, and `SHA256SUMS` that lists them all.
 *
 * Opening reads only the small files; {@link verify} reads everything.
 */
export class ModelFolder {
  readonly onnxFile: string;
  readonly tokenizerFile: string;
  readonly tokenizerConfigFile: string;
  /** First 12 hex digits of the listed SHA-256 of the ONNX file. */
  readonly revision: string;
  readonly dimensions: number;
  private readonly sums: ReadonlyMap<string, string>;
  private readonly maxPositions: number;
  private verified: Promise<void> | null = null;

  /**
   * @param path absolute path; its last part is the model's name
   * @throws ModelFolderError naming the file that is missing or not understood
   */
  constructor(
    readonly path: string,
    readonly dtype: EmbedderDescriptor['dtype'] = 'q8',
  ) {
    this.sums = parseSums(this.readText(SUMS_FILE), join(path, SUMS_FILE));
    for (const file of [ONNX_FILES[dtype], CONFIG_FILE, ...TOKENIZER_FILES]) {
      if (!this.sums.has(file)) throw new ModelFolderError(join(path, SUMS_FILE), `does not list ${file}`);
    }
    this.onnxFile = join(path, ONNX_FILES[dtype]);
    this.tokenizerFile = join(path, TOKENIZER_FILES[0]);
    this.tokenizerConfigFile = join(path, TOKENIZER_FILES[1]);
    this.revision = this.sums.get(ONNX_FILES[dtype])!.slice(0, REVISION_DIGITS);
    const config = this.readConfig();
    this.dimensions = config.hidden_size;
    this.maxPositions = config.max_position_embeddings;
  }

  /**
   * Describes the embedder that these weights make with the given limits and prefixes.
   *
   * @throws ModelFolderError when the model has fewer positions than `max_tokens`
   */
  describe(texts: ModelTexts): EmbedderDescriptor {
    if (texts.max_tokens > this.maxPositions) {
      throw new ModelFolderError(
        join(this.path, CONFIG_FILE),
        `allows at most ${this.maxPositions} tokens, but EMBEDDING_MAX_TOKENS is ${texts.max_tokens}`,
      );
    }
    return {
      provider: 'local',
      model: basename(this.path),
      revision: this.revision,
      dtype: this.dtype,
      dimensions: this.dimensions,
      pooling: 'mean',
      query_prefix: texts.query_prefix,
      document_prefix: texts.document_prefix,
      max_tokens: texts.max_tokens,
    };
  }

  /**
   * Reads every listed file and compares its SHA-256, once per folder object; later calls share the result.
   *
   * @throws ModelFolderError naming the first file, in the order of the list, that is missing or damaged
   */
  verify(): Promise<void> {
    this.verified ??= this.compareSums();
    return this.verified;
  }

  private async compareSums(): Promise<void> {
    for (const [file, expected] of this.sums) {
      const path = join(this.path, file);
      const hash = createHash('sha256');
      try {
        await pipeline(createReadStream(path, { highWaterMark: HASH_CHUNK_BYTES }), hash);
      } catch (error) {
        throw new ModelFolderError(path, 'cannot be read', error);
      }
      const actual = hash.digest('hex');
      if (actual !== expected) throw new ModelFolderError(path, `is damaged: its SHA-256 is ${actual}, ${SUMS_FILE} says ${expected}`);
    }
  }

  private readConfig(): { hidden_size: number; max_position_embeddings: number } {
    const path = join(this.path, CONFIG_FILE);
    let config: { hidden_size?: unknown; max_position_embeddings?: unknown };
    try {
      config = JSON.parse(this.readText(CONFIG_FILE)) as typeof config;
    } catch (error) {
      if (error instanceof ModelFolderError) throw error;
      throw new ModelFolderError(path, 'is not valid JSON', error);
    }
    const { hidden_size, max_position_embeddings } = config;
    if (!isPositiveInteger(hidden_size) || !isPositiveInteger(max_position_embeddings)) {
      throw new ModelFolderError(path, 'names no hidden_size or no max_position_embeddings');
    }
    return { hidden_size, max_position_embeddings };
  }

  private readText(file: string): string {
    const path = join(this.path, file);
    try {
      return readFileSync(path, 'utf8');
    } catch (error) {
      throw new ModelFolderError(path, 'cannot be read', error);
    }
  }
}

function parseSums(text: string, path: string): Map<string, string> {
  const sums = new Map<string, string>();
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    // The format of sha256sum: digest, space, space or asterisk, name.
    const match = /^([0-9a-f]{64}) [ *](.+?)\r?$/.exec(line);
    if (match === null) throw new ModelFolderError(path, `has a line that is not in the format of sha256sum: ${JSON.stringify(line)}`);
    sums.set(match[2]!, match[1]!);
  }
  return sums;
}

function isPositiveInteger(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) > 0;
}
