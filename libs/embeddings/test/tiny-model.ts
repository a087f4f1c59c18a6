import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What may be wrong with, or special about, a tiny model. */
export interface TinyModelOptions {
  readonly dimensions?: number;
  /** What `config.json` says; default: the truth. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Content of `tokenizer.json`. */
  readonly tokenizer?: object;
  readonly tokenizerConfig?: object;
  /** Rows of the table: ids of the tokenizer. Default 400. */
  readonly vocabularySize?: number;
  /** Beside `input_ids` and `attention_mask`. */
  readonly moreInputs?: readonly string[];
  /** `pooled`: one vector of the whole text, as exports for sentence similarity alone have it; `half`: float16. */
  readonly output?: 'tokens' | 'pooled' | 'half';
  readonly pooling?: object;
}

/** Where its weights lie: precision q8, as is the default. */
const ONNX = 'onnx/model_quantized.onnx';

/** Writes a model that works: a tokenizer of some words, and an ONNX graph that looks up a vector for each token. */
export async function writeTinyModel(folder: string, options: TinyModelOptions = {}): Promise<void> {
  const { dimensions = 4, tokenizer = wordTokenizer(), tokenizerConfig = {}, config = {}, pooling } = options;
  const files: Record<string, string | Buffer> = {
    'config.json': JSON.stringify({ model_type: 'bert', hidden_size: dimensions, max_position_embeddings: 64, ...config }),
    'tokenizer.json': JSON.stringify(tokenizer),
    'tokenizer_config.json': JSON.stringify(tokenizerConfig),
    [ONNX]: tinyOnnx({ dimensions, ...options }),
    ...(pooling === undefined ? {} : { '1_Pooling/config.json': JSON.stringify(pooling) }),
  };
  await mkdir(join(folder, 'onnx'), { recursive: true });
  await mkdir(join(folder, '1_Pooling'), { recursive: true });
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
}

const WORDS = ['oak', 'stair', 'kitchen', 'modern', 'design', 'with', 'finishes', 'slate', 'on', 'the', 'roof', 'ash', 'door', 'walnut'];
const LETTERS = [...'abcdefghijklmnopqrstuvwxyz0123456789.,:;-'];

/** Of the kind that XLM-RoBERTa and with it most multilingual models have. */
export function unigramTokenizer(): object {
  const vocabulary: [string, number][] = [
    ['<s>', 0],
    ['<pad>', 0],
    ['</s>', 0],
    ['<unk>', 0],
    ...WORDS.map((word): [string, number] => [`▁${word}`, -4]),
    ['▁', -6],
    ...LETTERS.map((letter): [string, number] => [letter, -8]),
  ];
  return tokenizerOf({
    normalizer: { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' },
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'Metaspace', replacement: '▁', add_prefix_space: true }],
    },
    model: { type: 'Unigram', unk_id: 3, vocab: vocabulary },
    begin: '<s>',
    end: '</s>',
    ids: { '<s>': 0, '</s>': 2 },
  });
}

/** Of the kind that RoBERTa and GPT have: bytes, and some pairs of them merged. */
export function bpeTokenizer(): object {
  const merges = WORDS.flatMap((word) => pairsOf(`Ġ${word}`));
  const pieces = new Set([...byteLetters(), ...merges.map((merge) => merge.replace(' ', ''))]);
  const vocabulary = Object.fromEntries(['<s>', '<pad>', '</s>', '<unk>', ...pieces].map((piece, id) => [piece, id]));
  return tokenizerOf({
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true },
    model: { type: 'BPE', unk_token: '<unk>', vocab: vocabulary, merges: [...new Set(merges)] },
    begin: '<s>',
    end: '</s>',
    ids: { '<s>': 0, '</s>': 2 },
  });
}

/** Whole words, as a WordPiece vocabulary that has nothing else. */
function wordTokenizer(): object {
  const vocabulary = Object.fromEntries(['[CLS]', '[PAD]', '[SEP]', '[UNK]', ...WORDS].map((word, id) => [word, id]));
  return tokenizerOf({
    normalizer: { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab: vocabulary },
    begin: '[CLS]',
    end: '[SEP]',
    ids: { '[CLS]': 0, '[SEP]': 2 },
  });
}

interface TokenizerParts {
  readonly normalizer: object | null;
  readonly pre_tokenizer: object;
  readonly model: object;
  readonly begin: string;
  readonly end: string;
  readonly ids: Readonly<Record<string, number>>;
}

function tokenizerOf({ normalizer, pre_tokenizer, model, begin, end, ids }: TokenizerParts): object {
  const special = (token: string) => ({ SpecialToken: { id: token, type_id: 0 } });
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: Object.entries(ids).map(([content, id]) => ({
      id,
      content,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: true,
    })),
    normalizer,
    pre_tokenizer,
    post_processor: {
      type: 'TemplateProcessing',
      single: [special(begin), { Sequence: { id: 'A', type_id: 0 } }, special(end)],
      pair: [],
      special_tokens: Object.fromEntries(Object.entries(ids).map(([token, id]) => [token, { id: token, ids: [id], tokens: [token] }])),
    },
    decoder: null,
    model,
  };
}

/** Merges that build a word letter by letter. */
function pairsOf(word: string): string[] {
  return Array.from({ length: word.length - 1 }, (_, i) => `${word.slice(0, i + 1)} ${word[i + 1]!}`);
}

/** The letters by which byte-level tokenizers write the 256 bytes. */
function byteLetters(): string[] {
  const printable = (byte: number) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
  let others = 0;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printable(byte) ? byte : 256 + others++));
}

// --- ONNX, as little of its protobuf form as the graph needs: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto ---

const FLOAT = 1;
const INT64 = 7;
const FLOAT16 = 10;

interface OnnxOptions extends Pick<TinyModelOptions, 'moreInputs' | 'output' | 'vocabularySize'> {
  readonly dimensions: number;
}

function tinyOnnx({ dimensions, moreInputs = [], output = 'tokens', vocabularySize = 400 }: OnnxOptions): Buffer {
  const inputs = ['input_ids', 'attention_mask', ...moreInputs];
  const looked = node('Gather', ['table', 'input_ids'], ['tokens']);
  const last = {
    tokens: node('Identity', ['tokens'], ['last_hidden_state']),
    half: cast('tokens', 'last_hidden_state'),
    pooled: mean('tokens', 'sentence_embedding'),
  };
  const outputName = output === 'pooled' ? 'sentence_embedding' : 'last_hidden_state';
  const graph = message(
    [1, looked],
    [1, last[output]],
    [2, text('tiny')],
    [5, tensor('table', vocabularySize, dimensions)],
    ...inputs.map((name): Field => [11, value(name, INT64)]),
    [12, value(outputName, output === 'half' ? FLOAT16 : FLOAT)],
  );
  return message([1, varint(8)], [8, message([1, text('')], [2, varint(13)])], [7, graph]);
}

type Field = readonly [number: number, content: Buffer | bigint];

/** A varint field when the content is a bigint, else one with a length. */
function message(...fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.map(([number, content]) =>
      typeof content === 'bigint'
        ? Buffer.concat([bytesOf(BigInt(number << 3)), bytesOf(content)])
        : Buffer.concat([bytesOf(BigInt((number << 3) | 2)), bytesOf(BigInt(content.length)), content]),
    ),
  );
}

function varint(number: number): bigint {
  return BigInt(number);
}

function bytesOf(number: bigint): Buffer {
  const bytes: number[] = [];
  for (let rest = number; ; rest >>= 7n) {
    if (rest < 128n) return Buffer.from([...bytes, Number(rest)]);
    bytes.push(Number(rest & 127n) | 128);
  }
}

function text(content: string): Buffer {
  return Buffer.from(content);
}

function node(operator: string, inputs: readonly string[], outputs: readonly string[], ...attributes: readonly Buffer[]): Buffer {
  return message(
    ...inputs.map((name): Field => [1, text(name)]),
    ...outputs.map((name): Field => [2, text(name)]),
    [3, text(`${operator}-${outputs[0]!}`)],
    [4, text(operator)],
    ...attributes.map((attribute): Field => [5, attribute]),
  );
}

function cast(from: string, to: string): Buffer {
  return node('Cast', [from], [to], message([1, text('to')], [3, varint(FLOAT16)], [20, varint(2)]));
}

function mean(from: string, to: string): Buffer {
  const axes = message([1, text('axes')], [8, varint(1)], [20, varint(7)]);
  const keepDimensions = message([1, text('keepdims')], [3, varint(0)], [20, varint(2)]);
  return node('ReduceMean', [from], [to], axes, keepDimensions);
}

/** A vector for each token: 1 in one component, so that texts are alike exactly as far as they share tokens, while there are components enough. */
function tensor(name: string, rows: number, columns: number): Buffer {
  const values = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++) values[row * columns + (row % columns)] = 1;
  return message([1, varint(rows)], [1, varint(columns)], [2, varint(FLOAT)], [8, text(name)], [9, Buffer.from(values.buffer)]);
}

function value(name: string, type: number): Buffer {
  return message([1, text(name)], [2, message([1, message([1, varint(type)])])]);
}
