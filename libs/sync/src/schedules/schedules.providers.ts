import { ScheduleConfig } from '#config';
import { RelayUnitOfWork, UnitOfWork } from '#database';
import { Clock, IdGenerator } from '#kernel';
import { VectorStore } from '#vector-store';
import type { Provider } from '@nestjs/common';
import { SchedulerRegistry } from '@nestjs/schedule';
import { listGenerations } from '../generations/list-generations.js';
import { thisProcess } from '../leases/sync-leases.js';
import { Certificates } from '../reconciler/certificates.js';
import { QuickCheck } from '../reconciler/quick-check.js';
import { Reconciler } from '../reconciler/reconciler.js';
import { IndexRelay } from '../relay/index-relay.js';
import { SyncStatistics } from '../statistics/sync-statistics.js';
import { SyncReadiness } from '../sync-readiness.js';
import { expressionsOf } from './schedule-names.js';
import { ScheduleRunner } from './schedule-runner.js';
import { ScheduleRuns } from './schedule-runs.js';
import { ScheduleTicker } from './schedule-ticker.js';
import type { ScheduledTask } from './scheduled-task.js';
import { Schedules } from './schedules.js';
import { CachePurgeTask } from './tasks/cache-purge.task.js';
import { GenerationsTask } from './tasks/generations-task.js';
import { ledgerFacts } from './tasks/ledger-facts.js';
import { quickCheckWork } from './tasks/quick-check-work.js';
import { reconcileWork } from './tasks/reconcile-work.js';
import { StatisticsTask } from './tasks/statistics.task.js';
import { TombstonePurgeTask } from './tasks/tombstone-purge.task.js';

/** Token of the work of all schedules. */
const TASKS = Symbol('scheduled tasks');

function createTasks(
  unitOfWork: RelayUnitOfWork,
  store: VectorStore,
  relay: IndexRelay,
  quickCheck: QuickCheck,
  reconciler: Reconciler,
  certificates: Certificates,
  statistics: SyncStatistics,
): ScheduledTask[] {
  const list = () => listGenerations(unitOfWork);
  const reconcile = reconcileWork(reconciler, certificates);
  return [
    new GenerationsTask({ name: 'quick-check', list, work: quickCheckWork({ quickCheck, store, certificates, reconcile }) }),
    new GenerationsTask({ name: 'reconcile', list, work: reconcile }),
    new TombstonePurgeTask(unitOfWork, () => relay.wake()),
    new CachePurgeTask(unitOfWork),
    new StatisticsTask(unitOfWork, async () => ledgerFacts(await statistics.read())),
  ];
}

export const SCHEDULE_PROVIDERS: Provider[] = [
  {
    provide: TASKS,
    useFactory: createTasks,
    inject: [RelayUnitOfWork, VectorStore, IndexRelay, QuickCheck, Reconciler, Certificates, SyncStatistics],
  },
  { provide: ScheduleRuns, useFactory: (unitOfWork: UnitOfWork) => new ScheduleRuns(unitOfWork), inject: [UnitOfWork] },
  {
    provide: ScheduleRunner,
    useFactory: (
      runs: ScheduleRuns,
      tasks: readonly ScheduledTask[],
      config: ScheduleConfig,
      readiness: SyncReadiness,
      clock: Clock,
      ids: IdGenerator,
    ) =>
      new ScheduleRunner({
        runs,
        tasks,
        expressions: expressionsOf(config),
        clock,
        ids,
        holder: thisProcess(),
        isReady: () => readiness.isReady,
      }),
    inject: [ScheduleRuns, TASKS, ScheduleConfig, SyncReadiness, Clock, IdGenerator],
  },
  {
    provide: Schedules,
    useFactory: (runs: ScheduleRuns, runner: ScheduleRunner, config: ScheduleConfig) => new Schedules(runs, runner, expressionsOf(config)),
    inject: [ScheduleRuns, ScheduleRunner, ScheduleConfig],
  },
  {
    provide: ScheduleTicker,
    useFactory: (registry: SchedulerRegistry, runner: ScheduleRunner) => new ScheduleTicker(registry, runner),
    inject: [SchedulerRegistry, ScheduleRunner],
  },
];
