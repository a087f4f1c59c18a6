import type { SqlSession } from '#database';
import type { SeededRandom } from './seeded-random.js';

const KEYS = 60;
/** Rows that are changed again and again, while a relay is at work on them; half of all writes are theirs. */
const HOT_KEYS = 10;
const BULK_SHARE = 0.005;
const DELETE_SHARE = 0.25;
/** Few, so that the model is asked for each once and the drill is about the index. */
const TEXTS = Array.from({ length: 24 }, (_, n) => `a piece of joinery, number ${n}, of oak and glass`);
const REGIONS = ['Bavaria', 'Tyrol', 'Saxony', null];

interface Content {
  readonly description: string;
  readonly region: string | null;
}

/** What every acknowledged write has left behind. */
export type ExpectedRows = ReadonlyMap<string, Content>;

const PUT = `
INSERT INTO projects (id, name, description, region) VALUES ($1::uuid, 'Drill', $2, $3)
ON CONFLICT (id) DO UPDATE SET description = EXCLUDED.description, region = EXCLUDED.region`;

/** Creates, changes, deletes and makes again a few rows, one after the other and in bulk, and remembers what must be there. */
export class FaultWorkload {
  writes = 0;
  private expected = new Map<string, Content>();

  constructor(
    private readonly session: SqlSession,
    private readonly random: SeededRandom,
  ) {}

  /** A copy, to go back to. */
  remember(): ExpectedRows {
    return new Map(this.expected);
  }

  /** The database was put back. */
  goBackTo(rows: ExpectedRows): void {
    this.expected = new Map(rows);
  }

  async write(): Promise<void> {
    const id = idOf(this.random.below(this.random.next() < 0.5 ? HOT_KEYS : KEYS));
    const draw = this.random.next();
    if (draw < DELETE_SHARE) {
      await this.session.query('DELETE FROM projects WHERE id = $1::uuid', [id]);
      this.expected.delete(id);
    } else if (draw < DELETE_SHARE + BULK_SHARE) {
      // In bulk, and of filter fields alone: the text is not embedded again.
      const region = this.random.pick(REGIONS);
      await this.session.query('UPDATE projects SET region = $1', [region]);
      for (const [key, content] of this.expected) this.expected.set(key, { ...content, region });
    } else {
      const content = { description: this.random.pick(TEXTS), region: this.random.pick(REGIONS) };
      await this.session.query(PUT, [id, content.description, content.region]);
      this.expected.set(id, content);
    }
    this.writes++;
  }

  /** Ids whose row is not what was acknowledged last. */
  async differences(): Promise<string[]> {
    const { rows } = await this.session.query<Content & { id: string }>('SELECT id, description, region FROM projects');
    const found = new Map(rows.map(({ id, ...content }) => [id, content]));
    const isEqual = (id: string): boolean => {
      const [one, other] = [found.get(id), this.expected.get(id)];
      return one?.description === other?.description && one?.region === other?.region;
    };
    return [...new Set([...found.keys(), ...this.expected.keys()])].filter((id) => !isEqual(id));
  }
}

const idOf = (key: number): string => `00000000-0000-4000-8000-${key.toString(16).padStart(12, '0')}`;
