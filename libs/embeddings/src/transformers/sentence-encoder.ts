import { InferenceSession, Tensor } from 'onnxruntime-node';
import { meanPoolAndNormalise } from './mean-pooling.js';
import { TextTokenizer, type TokenizerFiles } from './text-tokenizer.js';

export interface SentenceEncoderOptions extends TokenizerFiles {
  readonly onnxFile: string;
  readonly dimensions: number;
  readonly maxTokens: number;
}

export interface EncodedText {
  readonly vector: Float32Array;
  /** Tokens that were read, special tokens included. */
  readonly tokens: number;
  readonly isTruncated: boolean;
}

/** What exports call the vectors of the tokens; beside them some have that of the text, pooled in their own way. */
const TOKEN_OUTPUTS = ['last_hidden_state', 'token_embeddings'];

/**
 * Turns one text into one vector in the calling thread, which it blocks while the model runs.
 *
 * The only file that knows the model runtime; it and the tokenizer are what `@xenova/transformers` is made of, without the package around them
 * (docs/adr/0004-transformers-adapter.md).
 */
export class SentenceEncoder {
  /** int64 values, written through their low halves: token ids fit in 32 bits, and a BigInt per token would cost more than the copy. */
  private readonly idBuffer: ArrayBuffer;
  private readonly idLowHalves: Int32Array;
  private readonly ones: BigInt64Array;
  private readonly zeros: BigInt64Array;
  private readonly sums: Float64Array;
  private readonly outputName: string;

  private constructor(
    private readonly tokenizer: TextTokenizer,
    private readonly session: InferenceSession,
    private readonly dimensions: number,
    private readonly maxTokens: number,
  ) {
    this.idBuffer = new ArrayBuffer(maxTokens * BigInt64Array.BYTES_PER_ELEMENT);
    this.idLowHalves = new Int32Array(this.idBuffer);
    this.ones = new BigInt64Array(maxTokens).fill(1n);
    this.zeros = new BigInt64Array(maxTokens);
    this.sums = new Float64Array(dimensions);
    this.outputName = TOKEN_OUTPUTS.find((name) => session.outputNames.includes(name)) ?? session.outputNames[0]!;
  }

  /** Loads tokenizer and weights; about 0.1 s for the bundled model. */
  static async load(options: SentenceEncoderOptions): Promise<SentenceEncoder> {
    const tokenizer = await TextTokenizer.load(options);
    const session = await InferenceSession.create(options.onnxFile, {
      // One thread of inference per worker thread: parallelism comes from the workers, and two pools on the same cores would fight.
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      // A spinning thread takes the core from PostgreSQL and the HTTP side of this machine.
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
    return new SentenceEncoder(tokenizer, session, options.dimensions, options.maxTokens);
  }

  /**
   * Embeds one text; always alone: with dynamic int8 the activation scale is taken over the whole batch, so batch mates would change the vector.
   *
   * An empty text is its begin and end marker, nothing between: two tokens, and a valid vector. White space adds no token.
   */
  async encode(text: string): Promise<EncodedText> {
    const ids = this.tokenizer.idsOf(text);
    const isTruncated = ids.length > this.maxTokens;
    const tokens = isTruncated ? this.maxTokens : ids.length;
    for (let i = 0; i < tokens; i++) this.idLowHalves[2 * i] = ids[i]!;
    // The end marker stays the last token of a text that is cut, as in training.
    if (isTruncated) this.idLowHalves[2 * (tokens - 1)] = ids[ids.length - 1]!;
    const outputs = await this.session.run(this.feeds(tokens));
    const output = outputs[this.outputName]!;
    const [batch, rows, columns] = output.dims;
    if (batch !== 1 || rows !== tokens || columns !== this.dimensions || output.dims.length !== 3) {
      throw new Error(
        `Its output ${this.outputName} is [${output.dims.join(', ')}] instead of [1, ${tokens}, ${this.dimensions}]: there is no vector of each token to average`,
      );
    }
    if (output.type !== 'float32') throw new Error(`Its output ${this.outputName} is ${output.type} instead of float32`);
    return { vector: meanPoolAndNormalise(output.data as Float32Array, tokens, this.dimensions, this.sums), tokens, isTruncated };
  }

  private feeds(tokens: number): Record<string, Tensor> {
    const shape = [1, tokens];
    const columns: Record<string, BigInt64Array> = {
      input_ids: new BigInt64Array(this.idBuffer, 0, tokens),
      attention_mask: this.ones.subarray(0, tokens),
      token_type_ids: this.zeros.subarray(0, tokens),
    };
    const feeds: Record<string, Tensor> = {};
    for (const name of this.session.inputNames) {
      const column = columns[name];
      if (column === undefined) throw new Error(`It asks for the input ${name}, which is not known here`);
      feeds[name] = new Tensor('int64', column, shape);
    }
    return feeds;
  }
}
