import { UnitOfWork } from '#database';
import { Clock } from '#kernel';
import { Injectable } from '@nestjs/common';
import { planKeywords, type TableStatistics } from './keyword-plan.js';
import { rankingStatementOf, statisticsStatementOf, wordsStatementOf, type RankingRecord, type WordRecord } from './keyword-statements.js';
import type { KeywordTable } from './keyword-table.js';
import { chooseTerms, type QueryWord } from './query-terms.js';
import type { KeywordHit } from './row-finder.js';

export interface KeywordRequest {
  readonly texts: readonly string[];
  /** Rows per text. */
  readonly limit: number;
  /**
   * Conditions on the rows, joined by AND; none = every row.
   *
   * @param parameters gets the values appended; `$n` counts from its length on
   */
  readonly conditionsOf: (parameters: unknown[]) => readonly string[];
}

/** Of a table that was never analysed: few rows, or just loaded. All words count alike then, which is a little worse, not wrong. */
const NO_STATISTICS: TableStatistics = { rows: 0, frequencies: new Map(), leastFrequency: 0.01 };

/** Autovacuum analyses a table a minute after it has changed by a tenth; so old statistics say the same. */
const STATISTICS_MAX_AGE_MS = 60_000;

interface KnownStatistics {
  readonly value: Promise<TableStatistics>;
  readonly readAtMs: number;
}

interface StatisticsRecord {
  readonly rows: number;
  readonly lexemes: string[] | null;
  readonly frequencies: number[] | null;
}

/** Finds rows by their words, in any table that has a tsvector. */
@Injectable()
export class KeywordIndex {
  private readonly statistics = new Map<string, KnownStatistics>();

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly clock: Clock,
  ) {}

  /**
   * Finds the rows that have at least one of the words of each text: a list per text, best first, equal ones by id. Two statements for all texts together: the
   * words, then the rows. A text of stop words alone has no words and finds nothing.
   */
  async find(table: KeywordTable, { texts, limit, conditionsOf }: KeywordRequest): Promise<KeywordHit[][]> {
    const [words, statistics] = await Promise.all([this.wordsOf(table, texts), this.statisticsOf(table)]);
    const isFiltered = conditionsOf([]).length > 0;
    const plans = words.map((own) =>
      planKeywords(
        chooseTerms(own, (lexeme) => statistics.frequencies.get(lexeme) ?? null),
        statistics,
        isFiltered,
      ),
    );
    const lists: KeywordHit[][] = texts.map(() => []);
    if (plans.every(({ candidates }) => candidates.length === 0)) return lists;
    const { sql, parameters } = rankingStatementOf(table, plans, limit, conditionsOf);
    const { rows } = await this.unitOfWork.query<RankingRecord>(sql, parameters);
    for (const { text_number: number, id, score } of rows) lists[number - 1]!.push({ id, score });
    return lists;
  }

  private async wordsOf(table: KeywordTable, texts: readonly string[]): Promise<QueryWord[][]> {
    const { sql, parameters } = wordsStatementOf(table, texts);
    const { rows } = await this.unitOfWork.query<WordRecord>(sql, parameters);
    const words: QueryWord[][] = texts.map(() => []);
    for (const row of rows) words[row.text_number - 1]!.push({ forms: table.configurations.map((_, index) => row[`form_${index}`]!) });
    return words;
  }

  /** Those of a minute ago answer while newer ones are read: no search waits for them but the first. */
  private async statisticsOf(table: KeywordTable): Promise<TableStatistics> {
    const key = `${table.table}.${table.column}`;
    const known = this.statistics.get(key);
    if (known !== undefined && this.clock.monotonicMs() - known.readAtMs < STATISTICS_MAX_AGE_MS) return known.value;
    const value = this.readStatistics(table);
    this.statistics.set(key, { value: known === undefined ? value : value.catch(() => known.value), readAtMs: this.clock.monotonicMs() });
    if (known !== undefined) return known.value;
    value.catch(() => this.statistics.delete(key));
    return value;
  }

  private async readStatistics(table: KeywordTable): Promise<TableStatistics> {
    const { sql, parameters } = statisticsStatementOf(table);
    const { rows } = await this.unitOfWork.query<StatisticsRecord>(sql, parameters);
    const { rows: count, lexemes, frequencies } = rows[0]!;
    if (lexemes === null || frequencies === null) return NO_STATISTICS;
    // Behind the frequencies of the lexemes stand the least and the greatest of them.
    const leastFrequency = frequencies[lexemes.length] ?? NO_STATISTICS.leastFrequency;
    return {
      rows: Math.max(0, count),
      frequencies: new Map(lexemes.map((lexeme, index) => [lexeme, frequencies[index]!])),
      leastFrequency,
    };
  }
}
