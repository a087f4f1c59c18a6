import type { ScheduleConfig } from '#config';

/** Recurring work of the engine, in the order in which people are told of it. */
export const SCHEDULE_NAMES = ['quick-check', 'reconcile', 'tombstone-purge', 'cache-purge', 'statistics'] as const;

export type ScheduleName = (typeof SCHEDULE_NAMES)[number];

/** The cron expression of each schedule; `null` = it runs only by hand. */
export function expressionsOf(config: ScheduleConfig): Readonly<Record<ScheduleName, string | null>> {
  return {
    'quick-check': config.quickCheck,
    reconcile: config.reconcile,
    'tombstone-purge': config.tombstonePurge,
    'cache-purge': config.cachePurge,
    statistics: config.statistics,
  };
}
