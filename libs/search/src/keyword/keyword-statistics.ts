import type { UnitOfWork } from '#database';
import type { Clock } from '#kernel';
import { quoted, RANKED_ROWS, type TableStatistics } from './keyword-plan.js';
import { countsStatementOf, statisticsStatementOf } from './keyword-statements.js';
import type { KeywordTable } from './keyword-table.js';

/** Autovacuum analyses a table a minute after it has changed by a tenth; so old statistics say the same. */
const MAX_AGE_MS = 60_000;
/** Of one call; more, and all words count alike, which is a little worse, not wrong. Each costs about as much as looking for one word. */
const COUNTED_LEXEMES_MAXIMUM = 200;

const COUNTED_IN_VAIN: TableStatistics = { rows: 0, frequencies: new Map(), leastFrequency: 0.01 };

interface Known {
  readonly value: Promise<TableStatistics | null>;
  readonly readAtMs: number;
}

interface StatisticsRecord {
  readonly rows: number;
  readonly lexemes: string[] | null;
  readonly frequencies: number[] | null;
}

interface CountRecord {
  readonly rows: number;
  readonly lexeme: string;
  readonly count: number;
}

/** Says how rare words are: as PostgreSQL has noted when it analysed the table, or, before it ever has, by counting. */
export class KeywordStatistics {
  private readonly tables = new Map<string, Known>();

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * What ANALYZE has found out about the column; `null` = it has never run. What was known a minute ago answers while it is read again: no search waits for it
   * but the first.
   */
  async find(table: KeywordTable): Promise<TableStatistics | null> {
    const key = `${table.table}.${table.column}`;
    const known = this.tables.get(key);
    if (known !== undefined && this.clock.monotonicMs() - known.readAtMs < MAX_AGE_MS) return known.value;
    const value = this.read(table);
    this.tables.set(key, { value: known === undefined ? value : value.catch(() => known.value), readAtMs: this.clock.monotonicMs() });
    if (known !== undefined) return known.value;
    value.catch(() => this.tables.delete(key));
    return value;
  }

  /** Counts the rows that have each of the lexemes, no further than it matters: of a table that was made or filled within the last minute. */
  async count(table: KeywordTable, lexemes: readonly string[]): Promise<TableStatistics> {
    const distinct = [...new Set(lexemes)];
    if (distinct.length === 0 || distinct.length > COUNTED_LEXEMES_MAXIMUM) return COUNTED_IN_VAIN;
    const { sql, parameters } = countsStatementOf(table, distinct, distinct.map(quoted));
    const { rows } = await this.unitOfWork.query<CountRecord>(sql, parameters);
    const total = Math.max(1, rows[0]?.rows ?? 0);
    const found = rows.filter(({ count }) => count > 0);
    return { rows: total, frequencies: new Map(found.map(({ lexeme, count }) => [lexeme, count / total])), leastFrequency: 1 / total };
  }

  private async read(table: KeywordTable): Promise<TableStatistics | null> {
    const { sql, parameters } = statisticsStatementOf(table);
    const { rows } = await this.unitOfWork.query<StatisticsRecord>(sql, parameters);
    const { rows: count, lexemes, frequencies } = rows[0]!;
    if (lexemes === null || frequencies === null) return null;
    // Behind the frequencies of the lexemes stand the least and the greatest of them.
    const leastFrequency = frequencies[lexemes.length] ?? RANKED_ROWS / Math.max(count, RANKED_ROWS);
    return {
      rows: Math.max(0, count),
      frequencies: new Map(lexemes.map((lexeme, index) => [lexeme, frequencies[index]!])),
      leastFrequency,
    };
  }
}
