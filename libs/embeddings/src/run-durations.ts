import { DurationHistogram } from '#kernel';

/** Milliseconds. A short query takes a few on this machine, a batch sent to a service seconds. */
const BOUNDS_MS = [2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 10_000, 30_000] as const;

/** How long embedding takes: one text in a thread, or one request to a service. */
export class RunDurations extends DurationHistogram {
  constructor() {
    super(BOUNDS_MS);
  }
}
