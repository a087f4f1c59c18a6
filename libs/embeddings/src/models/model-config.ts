/** What `config.json` of a model says about its vectors. */
export interface ModelConfig {
  readonly dimensions: number;
  /** Tokens that the model can read at once, special tokens included. */
  readonly maxPositions: number;
}

/** The names that architectures have for one thing. */
const DIMENSIONS = ['hidden_size', 'dim', 'd_model', 'n_embd'];
const POSITIONS = ['max_position_embeddings', 'n_positions'];

/** They begin to count positions behind that of the padding token, so not all of them can be used. */
const COUNTING_FROM_PADDING = new Set(['roberta', 'xlm-roberta', 'xlm-roberta-xl', 'camembert', 'mpnet']);
const USUAL_PADDING_ID = 1;

/**
 * Reads a parsed `config.json`.
 *
 * @throws Error that says, behind the file's name, what is missing
 */
export function readModelConfig(config: unknown): ModelConfig {
  if (typeof config !== 'object' || config === null) throw new Error('is no JSON object');
  const values = config as Readonly<Record<string, unknown>>;
  const dimensions = firstPositive(values, DIMENSIONS);
  const positions = firstPositive(values, POSITIONS);
  if (dimensions === undefined || positions === undefined) throw new Error(`names no ${DIMENSIONS[0]} or no ${POSITIONS[0]}`);
  return { dimensions, maxPositions: positions - unusablePositions(values) };
}

/**
 * Reads a parsed `1_Pooling/config.json`.
 *
 * @throws Error that says, behind the file's name, that the tokens are not averaged
 */
export function assertMeanPooling(config: unknown): void {
  const values = (config ?? {}) as Readonly<Record<string, unknown>>;
  const isMean = values['pooling_mode'] === 'mean' || values['pooling_mode_mean_tokens'] === true;
  if (!isMean) throw new Error('asks for another pooling than the mean of the tokens, which is all that can be done here');
}

function unusablePositions({ model_type, pad_token_id }: Readonly<Record<string, unknown>>): number {
  if (typeof model_type !== 'string' || !COUNTING_FROM_PADDING.has(model_type)) return 0;
  return (Number.isInteger(pad_token_id) ? (pad_token_id as number) : USUAL_PADDING_ID) + 1;
}

function firstPositive(values: Readonly<Record<string, unknown>>, names: readonly string[]): number | undefined {
  return names.map((name) => values[name]).find((value): value is number => Number.isInteger(value) && (value as number) > 0);
}
