import type { UnitOfWork } from '#database';
import type { Clock } from '#kernel';
import type { IndexRelay } from '../relay/index-relay.js';
import { readLedgerStatistics } from './read-ledger-statistics.js';
import { MAX_COUNTED_ATTEMPTS, type SyncStatus } from './sync-status.js';
import { toGenerationStatuses } from './to-generation-statuses.js';

/** Every number of the engine, in one place: whoever shows or exports one takes it from here. */
export class SyncStatistics {
  private reading: Promise<SyncStatus> | null = null;

  constructor(
    private readonly unitOfWork: UnitOfWork,
    private readonly relay: Pick<IndexRelay, 'status'>,
    private readonly clock: Clock,
  ) {}

  /** Reads the ledger once, in one statement; callers at the same time share one reading, which may have begun shortly before the call. */
  read(): Promise<SyncStatus> {
    this.reading ??= this.readNow().finally(() => {
      this.reading = null;
    });
    return this.reading;
  }

  private async readNow(): Promise<SyncStatus> {
    const groups = await readLedgerStatistics(this.unitOfWork, MAX_COUNTED_ATTEMPTS);
    return { readAt: groups[0]?.readAt ?? this.clock.now(), generations: toGenerationStatuses(groups), relay: this.relay.status() };
  }
}
