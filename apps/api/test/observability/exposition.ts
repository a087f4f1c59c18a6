/** One line of `/metrics`. */
export interface ExposedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)/gy;

/** Reads the text exposition format 0.0.4, strictly. @throws Error for a line that is none */
export function parseExposition(text: string): ExposedSample[] {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name, labels = '', value = ''] = LINE.exec(line) ?? [];
      if (name === undefined) throw new Error(`Not a sample: ${line}`);
      const pairs = [...labels.matchAll(LABEL)];
      if (pairs.map(([whole]) => whole).join('') !== labels) throw new Error(`Bad labels: ${line}`);
      const number = value === '+Inf' ? Infinity : value === 'NaN' ? NaN : Number(value);
      if (Number.isNaN(number) && value !== 'NaN') throw new Error(`Not a number: ${line}`);
      return { name, labels: Object.fromEntries(pairs.map(([, key, content]) => [key!, content!])), value: number };
    });
}

/** What tells series apart, in one word each. */
export function seriesOf(samples: readonly ExposedSample[]): Set<string> {
  return new Set(samples.map(({ name, labels }) => `${name} ${JSON.stringify(Object.entries(labels).sort())}`));
}
