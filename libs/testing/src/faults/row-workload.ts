import type { SqlResult } from '#database';
import { setTimeout as delay } from 'node:timers/promises';
import type { SeededRandom } from '../seeded-random.js';

const REGIONS = ['Bavaria', 'Saxony', 'Tyrol'];
const WORDS = ['oak', 'ash', 'larch', 'stair', 'door', 'roof', 'floor', 'table', 'bench', 'window'];
/** SQLSTATEs after which the statement has certainly not been committed: contention, constraints, timeouts of the server. */
const CERTAIN_FAILURE = /^(40001|40P01|55P03|57014|53|23)/;

/** What a row holds; `null` = there is no row. */
type Content = { readonly description: string; readonly price: number; readonly region: string } | null;

interface Key {
  readonly id: string;
  /** One of these is true: several only after a write whose answer was lost. */
  possible: Content[];
  isBusy: boolean;
}

export interface RowWorkloadOptions {
  /** How many rows there may be. Default 100. */
  readonly keys?: number;
  /** Told apart from the keys of other workloads by this. Default 0. */
  readonly namespace?: number;
}

type Query = (sql: string, parameters: readonly unknown[]) => Promise<SqlResult<Record<string, unknown>>>;

/**
 * A client that creates, changes, deletes and re-creates projects at random, in plain SQL, and keeps its own log of what it was told.
 *
 * Every write carries a number that no other one has. {@link differences} says which acknowledged writes the table does not show (I7).
 */
export class RowWorkload {
  /** By how the client was answered. */
  readonly outcomes = { ok: 0, failed: 0, unknown: 0 };
  private readonly keys: Key[];
  private sequence = 0;

  constructor(
    private readonly query: Query,
    private readonly random: SeededRandom,
    { keys = 100, namespace = 0 }: RowWorkloadOptions = {},
  ) {
    this.keys = Array.from({ length: keys }, (_, n) => ({ id: workloadId(namespace, n), possible: [null], isBusy: false }));
  }

  /** Ids whose rows have been deleted, or may have been, at least once. */
  readonly everDeleted = new Set<string>();

  get writes(): number {
    return this.outcomes.ok + this.outcomes.failed + this.outcomes.unknown;
  }

  /** Writes once. Never rejects. */
  async write(): Promise<void> {
    const idle = this.keys.filter(({ isBusy }) => !isBusy);
    const key = this.random.pick(idle);
    if (key === undefined) return;
    key.isBusy = true;
    const mayExist = key.possible.some((content) => content !== null);
    const dice = this.random.next();
    try {
      if (mayExist && dice < 0.2) await this.record(key, null, 'DELETE FROM projects WHERE id = $1', [key.id]);
      else if (mayExist && dice < 0.4) await this.reprice(key);
      else await this.put(key);
    } finally {
      key.isBusy = false;
    }
  }

  /** Writes from several lanes until the signal aborts, with pauses of about `pauseMs` in each. */
  async run(signal: AbortSignal, { lanes = 4, pauseMs = 5 }: { readonly lanes?: number; readonly pauseMs?: number } = {}): Promise<void> {
    const lane = async (): Promise<void> => {
      while (!signal.aborted) {
        await this.write();
        await delay(pauseMs * (0.5 + this.random.next()), undefined, { signal }).catch(() => undefined);
      }
    };
    await Promise.all(Array.from({ length: lanes }, lane));
  }

  /** Writes so often, from several lanes. */
  async writeTimes(count: number, lanes = 4): Promise<void> {
    const lane = async (n: number): Promise<void> => {
      for (let i = n; i < count; i += lanes) await this.write();
    };
    await Promise.all(Array.from({ length: lanes }, (_, n) => lane(n)));
  }

  /** Acknowledged writes that are not in the table, or rows that nobody wrote. Call it when nothing is under way. */
  async differences(query: Query): Promise<string[]> {
    const { rows } = await query('SELECT id, description, final_price, region FROM projects', []);
    const table = new Map(rows.map((row) => [String(row['id']), row]));
    const found: string[] = [];
    for (const { id, possible } of this.keys) {
      const row = table.get(id);
      const isAsTold = possible.some((content) =>
        content === null
          ? row === undefined
          : row !== undefined &&
            row['description'] === content.description &&
            Number(row['final_price']) === content.price &&
            row['region'] === content.region,
      );
      if (!isAsTold) found.push(`I7 ${id} is ${JSON.stringify(row ?? null)}, but the client was told ${JSON.stringify(possible)}`);
    }
    return found;
  }

  private async put(key: Key): Promise<void> {
    const number = ++this.sequence;
    const content = {
      description: `${this.random.pick(WORDS)} ${this.random.pick(WORDS)} number ${number}`,
      price: number,
      region: this.random.pick(REGIONS),
    };
    await this.record(
      key,
      content,
      `INSERT INTO projects (id, name, description, final_price, region) VALUES ($1, 'Row', $2, $3, $4)
       ON CONFLICT (id) DO UPDATE SET description = EXCLUDED.description, final_price = EXCLUDED.final_price, region = EXCLUDED.region`,
      [key.id, content.description, content.price, content.region],
    );
  }

  /** A change of the payload alone; of a row that is known for sure, because it changes nothing of one that is not there. */
  private async reprice(key: Key): Promise<void> {
    const [known] = key.possible;
    if (key.possible.length > 1 || known === null || known === undefined) return this.put(key);
    const content = { ...known, price: ++this.sequence };
    await this.record(key, content, 'UPDATE projects SET final_price = $2 WHERE id = $1', [key.id, content.price]);
  }

  private async record(key: Key, content: Content, sql: string, parameters: unknown[]): Promise<void> {
    if (content === null) this.everDeleted.add(key.id);
    try {
      await this.query(sql, parameters);
      key.possible = [content];
      this.outcomes.ok++;
    } catch (error) {
      if (CERTAIN_FAILURE.test(codeOf(error))) {
        this.outcomes.failed++;
        return;
      }
      key.possible = [...key.possible, content];
      this.outcomes.unknown++;
    }
  }
}

/** The n-th id of a namespace, spread over all buckets. */
export function workloadId(namespace: number, n: number): string {
  const hex = (value: number, length: number) => value.toString(16).padStart(length, '0');
  return `00000000-${hex(namespace, 4)}-4000-8000-${hex(n, 12)}`;
}

function codeOf(error: unknown): string {
  const { code, cause } = error as { code?: string; cause?: { code?: string } };
  return cause?.code ?? code ?? '';
}
