/** mulberry32: the same seed gives the same texts on every machine. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Words that are one token each for the bundled model, most common first; drawn with Zipf's law. */
const WORDS = (
  'oak kitchen wood with island drawer door roof window stairs solid floor glass steel larch ash beech walnut panel frame table board shelf corner wall ' +
  'old new house farm attic garden terrace balcony rail handle stone top white oil wax finish joint beam post truss spruce pine cherry light dark wide ' +
  'narrow long short high low curved straight open closed hidden soft heavy thin thick round square north south entrance hall room bath living bed ' +
  'office shop school barn church gate fence bench chair cabinet mirror lamp sink stove oven hood tap tile brick concrete plaster paint'
).split(' ');

const TYPES = ['kitchen', 'stairs', 'windows', 'roof', 'floor', 'furniture', 'door', 'terrace', 'timber-frame'];
const REGIONS = ['Bavaria', 'Saxony', 'Tyrol', 'Hesse', 'Hamburg'];
const WOODS = ['oak', 'larch', 'spruce', 'beech', 'ash', 'walnut'];

export interface BenchProject {
  readonly name: string;
  readonly description: string;
  readonly project_type: string;
  readonly region: string;
  readonly wood_type: string;
  readonly complexity: number;
  readonly total_area_sqm: number;
  readonly final_price: number;
}

/** Makes projects and queries from one seed; no two texts are equal. */
export class TextGenerator {
  private serial = 0;

  constructor(
    private readonly random: () => number,
    /** Tokens of a text, special tokens included. */
    private readonly countTokens: (text: string) => number,
    private readonly render: (project: BenchProject) => string,
  ) {}

  /** A project whose rendered text has exactly `tokens` tokens. */
  project(tokens: number): BenchProject {
    const name = `${this.word()} ${this.word()} ${++this.serial}`;
    const terms = { project_type: this.pick(TYPES), region: this.pick(REGIONS), wood_type: this.pick(WOODS) };
    const base = {
      name,
      ...terms,
      complexity: 1 + Math.floor(this.random() * 5),
      total_area_sqm: 1 + Math.floor(this.random() * 200),
      final_price: Math.floor(500_000 + this.random() * 5_000_000) / 100,
    };
    return { ...base, description: this.words(tokens, (description) => this.render({ ...base, description })) };
  }

  /** A document whose only chunk has exactly `tokens` tokens. */
  document(tokens: number): { readonly title: string; readonly content: string } {
    const title = `${this.word()} ${this.word()} ${++this.serial}`;
    return { title, content: this.words(tokens, (content) => `${title}\n${content}`) };
  }

  /** Words with which the rendered text has exactly `tokens` tokens. */
  private words(tokens: number, render: (words: string) => string): string {
    const words = [this.word()];
    let missing = tokens - this.countTokens(render(words[0]!));
    if (missing < 0) throw new Error(`A text of ${tokens} tokens has no room for words`);
    // Every word is about one token, so a few corrections reach the exact count.
    while (missing !== 0) {
      if (missing > 0) for (let i = 0; i < missing; i++) words.push(this.word());
      else words.splice(words.length + missing, -missing);
      missing = tokens - this.countTokens(render(words.join(' ')));
    }
    return words.join(' ');
  }

  /** A query of exactly `tokens` tokens. */
  query(tokens: number): string {
    const words = [`${++this.serial}`];
    while (this.countTokens(words.join(' ')) < tokens) words.push(this.word());
    while (this.countTokens(words.join(' ')) > tokens) words.pop();
    return words.join(' ');
  }

  /** Zipf with exponent 1 over the word list, by inverse transform. */
  private word(): string {
    return WORDS[Math.min(WORDS.length - 1, Math.floor(Math.exp(this.random() * Math.log(WORDS.length + 1)) - 1))]!;
  }

  private pick(values: readonly string[]): string {
    return values[Math.floor(this.random() * values.length)]!;
  }
}
