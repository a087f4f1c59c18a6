import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DomainError, sha256OfParts } from '#kernel';
import type { EmbedderDescriptor } from '../embedder.js';
import { assertMeanPooling, readModelConfig, type ModelConfig } from './model-config.js';
import { CONFIG_FILE, onnxFile, POOLING_FILE, requiredFiles, threadFiles, weightsBeside, type ModelFiles } from './model-files.js';
import { ModelFolderError } from './model-folder.errors.js';
import { parseSums, SUMS_FILE, sumOf } from './model-sums.js';

/** Hex digits of a checksum that name the weights in a descriptor: 48 bits, enough to tell the few models of one deployment apart. */
const REVISION_DIGITS = 12;

export interface ModelTexts {
  readonly max_tokens: number;
  readonly query_prefix: string;
  readonly document_prefix: string;
}

/**
 * One model on disk: `config.json`, the tokenizer, the ONNX file, and, where whoever put it there has made one, `SHA256SUMS` that lists them all.
 *
 * Opening reads only the small files; {@link verify} reads everything that is listed, or the weights alone.
 */
export class ModelFolder implements ModelFiles {
  readonly onnxFile: string;
  readonly tokenizerFile: string;
  readonly tokenizerConfigFile: string;
  /** What the list says of the weights, as in a descriptor; `null` = there is no list, and they have to be read. */
  readonly listedRevision: string | null;
  readonly dimensions: number;
  private readonly sums: ReadonlyMap<string, string> | null;
  private readonly maxPositions: number;
  private verified: Promise<void> | null = null;
  private measured: Promise<string> | null = null;

  /**
   * @param path absolute path
   * @param name of the model; default: the last part of the path
   * @throws ModelFolderError naming the file that is missing or not understood
   */
  constructor(
    readonly path: string,
    readonly dtype: EmbedderDescriptor['dtype'] = 'q8',
    readonly name: string = basename(path),
  ) {
    if (!existsSync(path)) throw new ModelFolderError(path, 'does not exist');
    this.sums = existsSync(join(path, SUMS_FILE)) ? parseSums(this.readText(SUMS_FILE), join(path, SUMS_FILE)) : null;
    for (const file of requiredFiles(dtype)) this.assertPresent(file);
    ({ onnxFile: this.onnxFile, tokenizerFile: this.tokenizerFile, tokenizerConfigFile: this.tokenizerConfigFile } = threadFiles(path, dtype));
    this.listedRevision = this.sums === null ? null : revisionOf(this.sums, dtype);
    const config = this.readConfig();
    this.dimensions = config.dimensions;
    this.maxPositions = config.maxPositions;
  }

  /**
   * Describes the embedder that these weights make with the given limits and prefixes; reads the weights when no list names them.
   *
   * @throws ModelFolderError when the model has fewer positions than `max_tokens`
   */
  async describe(texts: ModelTexts): Promise<EmbedderDescriptor> {
    return this.descriptorOf(texts, this.listedRevision ?? (await this.measure()));
  }

  /**
   * As {@link describe}, with a revision that is known, or believed.
   *
   * @throws ModelFolderError when the model has fewer positions than `max_tokens`
   */
  descriptorOf({ max_tokens, query_prefix, document_prefix }: ModelTexts, revision: string): EmbedderDescriptor {
    if (max_tokens > this.maxPositions) {
      throw new ModelFolderError(
        join(this.path, CONFIG_FILE),
        `allows at most ${this.maxPositions} tokens, but EMBEDDING_MAX_TOKENS is ${max_tokens}`,
      );
    }
    return {
      provider: 'local',
      model: this.name,
      revision,
      dtype: this.dtype,
      dimensions: this.dimensions,
      pooling: 'mean',
      query_prefix,
      document_prefix,
      max_tokens,
    };
  }

  /**
   * Reads every listed file and compares its SHA-256, once per folder object; later calls share the result. Without a list there is nothing to compare with.
   *
   * @throws ModelFolderError naming the first file, in the order of the list, that is missing or damaged
   */
  verify(): Promise<void> {
    this.verified ??= this.compareSums();
    return this.verified;
  }

  /**
   * As {@link verify}; also sees that the weights are those of the revision.
   *
   * @throws ModelFolderError
   * @throws DomainError `search.embedder-unavailable` when they are not
   */
  async verifyRevision(revision: string): Promise<void> {
    await this.verify();
    const actual = this.listedRevision ?? (await this.measure());
    if (actual !== revision) throw otherWeights(this.name, actual, revision);
  }

  private async compareSums(): Promise<void> {
    for (const [file, expected] of this.sums ?? []) {
      const path = join(this.path, file);
      const actual = await sumOf(path);
      if (actual !== expected) throw new ModelFolderError(path, `is damaged: its SHA-256 is ${actual}, ${SUMS_FILE} says ${expected}`);
    }
  }

  private measure(): Promise<string> {
    this.measured ??= this.readWeights();
    return this.measured;
  }

  private async readWeights(): Promise<string> {
    const sums = new Map([[onnxFile(this.dtype), await sumOf(this.onnxFile)]]);
    const beside = weightsBeside(this.dtype);
    if (existsSync(join(this.path, beside))) sums.set(beside, await sumOf(join(this.path, beside)));
    return revisionOf(sums, this.dtype);
  }

  private assertPresent(file: string): void {
    if (this.sums !== null && !this.sums.has(file)) throw new ModelFolderError(join(this.path, SUMS_FILE), `does not list ${file}`);
    if (!existsSync(join(this.path, file))) throw new ModelFolderError(join(this.path, file), 'is missing');
  }

  private readConfig(): ModelConfig {
    if (existsSync(join(this.path, POOLING_FILE))) this.readJson(POOLING_FILE, assertMeanPooling);
    return this.readJson(CONFIG_FILE, readModelConfig);
  }

  private readJson<T>(file: string, read: (content: unknown) => T): T {
    const text = this.readText(file);
    let content: unknown;
    try {
      content = JSON.parse(text);
    } catch (error) {
      throw new ModelFolderError(join(this.path, file), 'is not valid JSON', error);
    }
    try {
      return read(content);
    } catch (error) {
      throw new ModelFolderError(join(this.path, file), (error as Error).message, error);
    }
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

/** The index was built with other weights than those that are here. */
export function otherWeights(model: string, actual: string, expected: string): DomainError {
  const detail = `The model folder ${model} has other weights (${actual}) than the index was built with (${expected})`;
  return new DomainError('search.embedder-unavailable', { detail });
}

function revisionOf(sums: ReadonlyMap<string, string>, dtype: EmbedderDescriptor['dtype']): string {
  const onnx = sums.get(onnxFile(dtype))!;
  const beside = sums.get(weightsBeside(dtype));
  return (beside === undefined ? onnx : sha256OfParts(onnx, beside).toString('hex')).slice(0, REVISION_DIGITS);
}
