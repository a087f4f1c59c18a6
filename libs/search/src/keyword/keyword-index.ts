import { UnitOfWork } from '#database';
import { Clock } from '#kernel';
import { Injectable } from '@nestjs/common';
import { planKeywords } from './keyword-plan.js';
import { rankingStatementOf, wordsStatementOf, type RankingRecord, type WordRecord } from './keyword-statements.js';
import { KeywordStatistics } from './keyword-statistics.js';
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

/** Finds rows by their words, in any table that has a tsvector. */
@Injectable()
export class KeywordIndex {
  private readonly statistics: KeywordStatistics;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    clock: Clock,
  ) {
    this.statistics = new KeywordStatistics(unitOfWork, clock);
  }

  /**
   * Finds the rows that have at least one of the words of each text: a list per text, best first, equal ones by length and id. Two statements for all texts together: the
   * words, then the rows (between them the words are counted, while PostgreSQL has not analysed the table). A text of stop words alone has no words and finds
   * nothing.
   */
  async find(table: KeywordTable, { texts, limit, conditionsOf }: KeywordRequest): Promise<KeywordHit[][]> {
    const [words, known] = await Promise.all([this.wordsOf(table, texts), this.statistics.find(table)]);
    const statistics =
      known ??
      (await this.statistics.count(
        table,
        words.flat().flatMap(({ forms }) => forms.flat()),
      ));
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
}
