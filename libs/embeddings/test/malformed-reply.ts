import type { SeededRandom } from '#testing';

/** One vector of a reply of an embeddings API, or something in its place. */
export interface ReplyItem {
  index: unknown;
  embedding: unknown;
}

/** Three dimensions; not of length 1. */
export const replyItem = (index: number): ReplyItem => ({ index, embedding: [index + 1, 2, -2] });

/** The body of a reply. */
export const replyBody = (data: unknown, more: object = {}): string => JSON.stringify({ object: 'list', data, ...more });

/** A good reply for so many texts, in any order. */
export function goodItems(count: number, random: SeededRandom): ReplyItem[] {
  return Array.from({ length: count }, (_, i) => replyItem(i)).sort(() => random.next() - 0.5);
}

/** Breaks one thing of a good reply; each result must be refused. */
const MUTATIONS: readonly ((data: ReplyItem[], random: SeededRandom) => unknown)[] = [
  (data) => data.slice(1),
  (data) => [...data, replyItem(data.length)],
  (data, random) => [...data, random.pick(data)],
  (data, random) => data.with(pickIndex(data, random), random.pick<unknown>([null, 7, 'x', [], [1, 2, 3], true]) as ReplyItem),
  (data, random) =>
    data.with(pickIndex(data, random), { ...replyItem(0), index: random.pick([-1, 0.5, 1e9, '0', null, undefined, NaN, {}]) }),
  (data, random) => breakVector(data, random, (vector) => vector.slice(1)),
  (data, random) => breakVector(data, random, (vector) => [...vector, 0.1]),
  (data, random) => breakVector(data, random, (vector) => vector.map(() => 0)),
  (data, random) => breakVector(data, random, (vector) => vector.with(0, random.pick([null, '1', true, [], {}, 1e39, -1e300]) as number)),
  (data, random) => breakVector(data, random, () => random.pick([null, 'AAAA', 3, {}, { length: 3 }])),
  (data) => Object.fromEntries(data.entries()),
  () => null,
];

const pickIndex = (data: readonly ReplyItem[], random: SeededRandom): number => Math.floor(random.next() * data.length);

function breakVector(data: ReplyItem[], random: SeededRandom, change: (vector: number[]) => unknown): ReplyItem[] {
  const at = pickIndex(data, random);
  return data.with(at, { ...data[at]!, embedding: change(data[at]!.embedding as number[]) });
}

/** The body of the reply with one thing broken, in one of many ways: nobody may accept it. */
export function malformedReply(data: ReplyItem[], random: SeededRandom): string {
  const body = replyBody(data);
  // A part of JSON is no JSON.
  if (random.chance(0.2)) return body.slice(0, Math.floor(random.next() * body.length));
  if (random.chance(0.1)) return body.replace(/\d/, random.pick(['NaN', 'Infinity', '-', '1e999999x']));
  return replyBody(random.pick(MUTATIONS)(data, random));
}
