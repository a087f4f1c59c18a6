import type { UnitOfWork } from '#database';
import type { ScheduledTask } from '../scheduled-task.js';
import { readTableFacts } from './table-facts.js';

/** Keeps, minute by minute, what the ledger holds and what its tables weigh: the past of a backlog is in the results of the runs. */
export class StatisticsTask implements ScheduledTask {
  readonly name = 'statistics';

  constructor(
    private readonly unitOfWork: UnitOfWork,
    /** What the ledger holds, as JSON. */
    private readonly readLedger: () => Promise<object>,
  ) {}

  async run(): Promise<unknown> {
    return { ...(await this.readLedger()), ...(await readTableFacts(this.unitOfWork)) };
  }
}
