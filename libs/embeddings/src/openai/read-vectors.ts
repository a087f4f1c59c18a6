import { findVectorDefect, normaliseInPlace } from '#kernel';
import { ProviderError } from '#openai';

export interface ProviderReply {
  /** Unit vectors in the order of the texts. */
  readonly vectors: readonly Float32Array[];
  /** Tokens that the provider says it has read; 0 = it does not say. */
  readonly usedTokens: number;
}

/**
 * Reads the reply of `POST /embeddings`, and believes nothing: one vector per text, each index once (their order does not matter), `dimensions` finite
 * numbers each, not all zero. Vectors are scaled to length 1.
 *
 * @throws ProviderError `malformed`
 */
export function readVectors(body: string, count: number, dimensions: number): ProviderReply {
  const reply = parse(body);
  const { data, usage } = isObject(reply) ? reply : {};
  if (!Array.isArray(data)) throw malformed('is no list of vectors');
  if (data.length !== count) throw malformed(`has ${data.length} vectors for ${count} texts`);
  const vectors = new Array<Float32Array | undefined>(count);
  for (const item of data as unknown[]) {
    const { index, embedding } = isObject(item) ? item : {};
    if (!Number.isInteger(index) || (index as number) < 0 || (index as number) >= count) throw malformed('has a vector without a place');
    if (vectors[index as number] !== undefined) throw malformed('has two vectors for one text');
    vectors[index as number] = readVector(embedding, dimensions);
  }
  // As many as there are places, none twice: all are taken.
  return { vectors: vectors as Float32Array[], usedTokens: readUsage(usage) };
}

function readVector(embedding: unknown, dimensions: number): Float32Array {
  if (!Array.isArray(embedding)) throw malformed('has something else in the place of a vector');
  if (embedding.length !== dimensions) throw malformed(`has a vector of ${embedding.length} dimensions instead of ${dimensions}`);
  // Assigned, a text such as "1" would become a number.
  if (!embedding.every((component) => typeof component === 'number')) throw malformed('has a component that is no number');
  const vector = normaliseInPlace(Float32Array.from(embedding as number[]));
  const defect = findVectorDefect(vector, dimensions);
  if (defect !== null) throw malformed(`has a vector that cannot be scaled to length 1 (${defect})`);
  return vector;
}

function readUsage(usage: unknown): number {
  const tokens = isObject(usage) ? usage['total_tokens'] : undefined;
  return Number.isSafeInteger(tokens) && (tokens as number) > 0 ? (tokens as number) : 0;
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    // The parser's message quotes the body.
    throw malformed('is no JSON');
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function malformed(what: string): ProviderError {
  return new ProviderError('malformed', `The reply of the embedding provider ${what}`);
}
