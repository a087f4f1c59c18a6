/**
 * Named places at which a test may end the process, between two steps that must survive it. In a running service they do nothing: only a test program
 * arms them.
 */
export type CrashPoint =
  | 'relay.claimed'
  | 'relay.read'
  | 'relay.embedded'
  | 'relay.before-upsert'
  | 'relay.after-upsert'
  | 'relay.before-delete'
  | 'relay.after-delete'
  | 'relay.before-acknowledge'
  | 'relay.after-acknowledge'
  | 'relay.before-purge'
  | 'relay.failure-recorded'
  | 'generation.created'
  | 'generation.fill-batch'
  | 'generation.filled'
  | 'generation.collection-created'
  | 'generation.before-switch'
  | 'generation.after-switch'
  | 'generation.before-alias'
  | 'generation.retired'
  | 'reconciler.before-repair'
  | 'reconciler.after-repair'
  | 'restore.paused'
  | 'restore.sequence-raised'
  | 'restore.marked'
  | 'epoch.advanced'
  | 'erasure.deleted'
  | 'erasure.logged'
  | 'erasure.place-proven'
  | 'backup.table-written'
  | 'backup.before-manifest'
  | 'backup.table-restored'
  | 'backup.before-commit';

type Listener = (point: CrashPoint) => void;

let listener: Listener | null = null;

/** Says that the process has come to this point. */
export function crashPoint(point: CrashPoint): void {
  listener?.(point);
}

/** For test programs only. */
export function armCrashPoints(onPoint: Listener | null): void {
  listener = onPoint;
}
