/** For a service of which a test wants to know everything that happens: nothing does by the clock. */
export const NO_SCHEDULES = {
  SCHEDULE_QUICK_CHECK: 'off',
  SCHEDULE_RECONCILE: 'off',
  SCHEDULE_TOMBSTONE_PURGE: 'off',
  SCHEDULE_CACHE_PURGE: 'off',
  SCHEDULE_STATISTICS: 'off',
} as const;

/** The same, with leases so short that a test can wait for their end. */
export const SHORT_LEASES = {
  ...NO_SCHEDULES,
  EMBEDDING_WORKERS: '1',
  SYNC_LEASE_MS: '1000',
  SYNC_WRITE_TIMEOUT_MS: '200',
  SYNC_GRACE_MS: '1500',
} as const;
