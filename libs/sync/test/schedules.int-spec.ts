import { SystemClock, SystemIdGenerator } from '#kernel';
import { createTestDatabase, waitFor, type TestDatabase } from '#testing';
import { Logger } from '@nestjs/common';
import { ScheduleRunner, ScheduleRuns, Schedules, ScheduledTaskError, type ScheduledTask, type ScheduleRunnerParts } from '../src/index.js';

/** Of jest's fake timers only `Date` is wanted. */
const ALL_BUT_DATE = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const satisfies readonly string[];
const HOUR_MS = 3_600_000;
const EVERY_MINUTE = { 'quick-check': '* * * * *', reconcile: null, 'tombstone-purge': null, 'cache-purge': null, statistics: null };
/** The last half hour of a month and the first of the next. */
const START = new Date('2026-11-30T23:30:30.000Z');

interface RunRow {
  due_at: Date;
  outcome: string;
  holder: string;
  result: Record<string, unknown> | null;
  finished_at: Date | null;
  lease_until: Date | null;
}

/** A task whose runs end when the test says so. */
class HeldTask implements ScheduledTask {
  readonly name = 'quick-check';
  readonly started: { signal: AbortSignal; end: PromiseWithResolvers<unknown> }[] = [];

  run(signal: AbortSignal): Promise<unknown> {
    const end = Promise.withResolvers<unknown>();
    this.started.push({ signal, end });
    return end.promise;
  }
}

/** The table on the real database, with a clock of the database that the test moves. */
class ClockedRuns extends ScheduleRuns {
  ms = START.getTime();

  override async now(): Promise<Date> {
    return new Date(this.ms);
  }

  advance(byMs: number): void {
    this.ms += byMs;
  }
}

describe('schedules', () => {
  let database: TestDatabase;
  let runs: ScheduleRuns;
  const runners: ScheduleRunner[] = [];

  beforeAll(async () => {
    database = await createTestDatabase();
    runs = new ScheduleRuns(database.unitOfWork);
    for (const level of ['log', 'warn', 'error'] as const) jest.spyOn(Logger.prototype, level).mockImplementation(() => undefined);
  });
  afterEach(async () => {
    jest.useRealTimers();
    for (const runner of runners.splice(0)) await runner.stop();
    await database.query('TRUNCATE sync_schedule_runs');
  });
  afterAll(() => database.close());

  function newRunner(task: ScheduledTask, parts: Partial<ScheduleRunnerParts> = {}): ScheduleRunner {
    const runner = new ScheduleRunner({
      runs,
      tasks: [task],
      expressions: EVERY_MINUTE,
      clock: new SystemClock(),
      ids: new SystemIdGenerator(),
      holder: `runner ${runners.length + 1}`,
      isReady: () => true,
      unwindMs: 50,
      ...parts,
    });
    runners.push(runner);
    return runner;
  }

  const rows = async (): Promise<RunRow[]> =>
    (
      await database.query<RunRow>(
        'SELECT due_at, outcome, holder, result, finished_at, lease_until FROM sync_schedule_runs ORDER BY due_at',
      )
    ).rows;

  it('runs 50 due times once each on three machines whose clocks are an hour ahead, an hour behind and flickering (T14)', async () => {
    let done = 0;
    const clock = new ClockedRuns(database.unitOfWork);
    const task: ScheduledTask = { name: 'quick-check', run: async () => ++done };
    const three = [newRunner(task, { runs: clock }), newRunner(task, { runs: clock }), newRunner(task, { runs: clock })];
    await Promise.all(three.map((runner) => runner.tick()));
    jest.useFakeTimers({ doNotFake: [...ALL_BUT_DATE] });
    // A tick each 20 s of the database; whatever this process believes the time to be.
    for (let tick = 0; tick < 150; tick++) {
      clock.advance(20_000);
      const databaseMs = (await clock.now()).getTime();
      const skews = [HOUR_MS, -HOUR_MS, tick % 2 === 0 ? 250 : -250];
      const ticks: Promise<void>[] = [];
      for (const [index, runner] of three.entries()) {
        jest.setSystemTime(databaseMs + skews[index]!);
        ticks.push(runner.tick());
      }
      await Promise.all(ticks);
      await Promise.all(three.map((runner) => runner.whenIdle()));
    }
    jest.useRealTimers();
    const all = await rows();
    const due = Array.from({ length: 50 }, (_, minute) => new Date(Date.parse('2026-11-30T23:31:00.000Z') + minute * 60_000));
    expect(all.map(({ due_at }) => due_at)).toEqual(due);
    expect(all.every(({ outcome, finished_at, lease_until }) => outcome === 'done' && finished_at !== null && lease_until === null)).toBe(
      true,
    );
    expect(done).toBe(50);
  });

  it('asks the database what time it is', async () => {
    jest.useFakeTimers({ now: 0, doNotFake: [...ALL_BUT_DATE] });
    const now = await runs.now();
    expect(Date.now()).toBeLessThan(HOUR_MS);
    jest.useRealTimers();
    expect(Math.abs(now.getTime() - Date.now())).toBeLessThan(HOUR_MS);
  });

  it('starts nothing at boot, nothing while it is not ready, and makes up for nothing', async () => {
    const task = new HeldTask();
    const clock = new ClockedRuns(database.unitOfWork);
    let isReady = false;
    const expressions = { ...EVERY_MINUTE, 'quick-check': '0 * * * *' };
    const runner = newRunner(task, { runs: clock, isReady: () => isReady, expressions });
    // 23:30:30, 00:00:00, 00:00:05
    await runner.tick();
    clock.advance(29 * 60_000 + 30_000);
    await runner.tick();
    isReady = true;
    clock.advance(5_000);
    await runner.tick();
    expect(await rows()).toEqual([]);
    // Asleep for a day and a half hour: 24 due times have passed, the latest of them half an hour ago.
    clock.advance(24 * HOUR_MS + HOUR_MS / 2);
    await runner.tick();
    expect(await rows()).toEqual([]);
    clock.advance(HOUR_MS / 2);
    await runner.tick();
    expect(await rows()).toEqual([expect.objectContaining({ due_at: new Date('2026-12-02T01:00:00.000Z'), outcome: 'running' })]);
  });

  it('tries again what it could not claim', async () => {
    const clock = new ClockedRuns(database.unitOfWork);
    let isBroken = false;
    jest.spyOn(clock, 'claim').mockImplementation(async (claim) => {
      if (isBroken) throw new Error('connection lost');
      return runs.claim(claim);
    });
    const task = new HeldTask();
    const runner = newRunner(task, { runs: clock });
    await runner.tick();
    clock.advance(35_000);
    isBroken = true;
    await runner.tick();
    isBroken = false;
    clock.advance(5_000);
    await runner.tick();
    expect(await rows()).toEqual([expect.objectContaining({ due_at: new Date('2026-11-30T23:31:00.000Z') })]);
  });

  it('does not start twice what overruns: the due run is recorded as skipped, once', async () => {
    const clock = new ClockedRuns(database.unitOfWork);
    const task = new HeldTask();
    const [first, second] = [newRunner(task, { runs: clock }), newRunner(task, { runs: clock })];
    await Promise.all([first.tick(), second.tick()]);
    clock.advance(30_000);
    await first.tick();
    clock.advance(60_000);
    await Promise.all([first.tick(), second.tick()]);
    expect(task.started).toHaveLength(1);
    expect((await rows()).map(({ outcome }) => outcome)).toEqual(['running', 'skipped']);
    task.started[0]!.end.resolve({ checked: 3 });
    await first.whenIdle();
    clock.advance(60_000);
    await second.tick();
    expect((await rows()).map(({ outcome }) => outcome)).toEqual(['done', 'skipped', 'running']);
    expect((await rows())[0]!.result).toEqual({ checked: 3 });
  });

  it('lets the next due run go when the runner has died, and closes its row', async () => {
    await database.query(
      `INSERT INTO sync_schedule_runs (schedule, due_at, outcome, lease_token, lease_until, holder)
       VALUES ('quick-check', $1, 'running', gen_random_uuid(), clock_timestamp() - interval '1 second', 'dead')`,
      [new Date('2026-11-30T23:30:00.000Z')],
    );
    const clock = new ClockedRuns(database.unitOfWork);
    const task = new HeldTask();
    const three = [newRunner(task, { runs: clock }), newRunner(task, { runs: clock }), newRunner(task, { runs: clock })];
    await Promise.all(three.map((runner) => runner.tick()));
    clock.advance(30_000);
    await Promise.all(three.map((runner) => runner.tick()));
    const [dead, next] = await rows();
    expect(dead).toMatchObject({
      outcome: 'failed',
      holder: 'dead',
      lease_until: null,
      result: { error: expect.stringContaining('died') },
    });
    expect(next!.outcome).toBe('running');
    expect(task.started).toHaveLength(1);
  });

  it('renews the lease of a run that takes longer than it', async () => {
    const clock = new ClockedRuns(database.unitOfWork);
    const task = new HeldTask();
    const runner = newRunner(task, { runs: clock, leaseMs: 300 });
    await runner.tick();
    clock.advance(30_000);
    await runner.tick();
    const first = (await rows())[0]!.lease_until!;
    await waitFor(async () => (await rows())[0]!.lease_until!.getTime() > first.getTime() + 600, { what: 'two leases later' });
    expect(task.started[0]!.signal.aborted).toBe(false);
    // Still one at a time.
    clock.advance(60_000);
    await runner.tick();
    expect((await rows()).map(({ outcome }) => outcome)).toEqual(['running', 'skipped']);
  });

  it('calls a run off whose lease was taken over, and writes nothing over the verdict (T26)', async () => {
    const clock = new ClockedRuns(database.unitOfWork);
    const task = new HeldTask();
    const runner = newRunner(task, { runs: clock, leaseMs: 300 });
    await runner.tick();
    clock.advance(30_000);
    await runner.tick();
    // What a successor does after this process was frozen past its lease.
    await database.query(
      `UPDATE sync_schedule_runs SET outcome = 'failed', lease_token = NULL, lease_until = NULL, result = '{"error": "taken over"}'`,
    );
    await waitFor(() => task.started[0]!.signal.aborted, { what: 'called off' });
    task.started[0]!.end.resolve('too late');
    await runner.whenIdle();
    expect((await rows())[0]).toMatchObject({ outcome: 'failed', result: { error: 'taken over' } });
  });

  it('calls a run off when it could not renew the lease for as long as the lease', async () => {
    const clock = new ClockedRuns(database.unitOfWork);
    const task = new HeldTask();
    jest.spyOn(clock, 'renew').mockRejectedValue(new Error('no route'));
    const runner = newRunner(task, { runs: clock, leaseMs: 150 });
    await runner.tick();
    clock.advance(30_000);
    await runner.tick();
    await waitFor(() => task.started[0]!.signal.aborted, { what: 'called off' });
  });

  it('keeps the reason of a run that failed, and what it had found', async () => {
    const clock = new ClockedRuns(database.unitOfWork);
    const task: ScheduledTask = {
      name: 'quick-check',
      run: () => Promise.reject(new ScheduledTaskError('generation 2: away', { generations: [1] })),
    };
    const runner = newRunner(task, { runs: clock });
    await runner.tick();
    clock.advance(30_000);
    await runner.tick();
    await runner.whenIdle();
    expect((await rows())[0]).toMatchObject({ outcome: 'failed', result: { error: 'generation 2: away', generations: [1] } });
  });

  it('stops: what runs is called off and recorded, also when it does not listen, and nothing is started any more', async () => {
    const clock = new ClockedRuns(database.unitOfWork);
    const task = new HeldTask();
    const runner = newRunner(task, { runs: clock });
    await runner.tick();
    clock.advance(30_000);
    await runner.tick();
    expect(task.started).toHaveLength(1);
    await runner.stop();
    expect(task.started[0]!.signal.aborted).toBe(true);
    expect(await rows()).toEqual([expect.objectContaining({ outcome: 'failed', result: { error: 'the process is stopping' } })]);
    clock.advance(60_000);
    await runner.tick();
    await expect(runner.runNow('quick-check')).rejects.toThrow('stopping');
    expect(await rows()).toHaveLength(1);
  });

  describe('by hand', () => {
    it('runs at once, also what is never due by itself, and says how it stands', async () => {
      const task = new HeldTask();
      const expressions = { ...EVERY_MINUTE, 'quick-check': null };
      const runner = newRunner(task, { expressions });
      const schedules = new Schedules(runs, runner, expressions);
      const before = (await schedules.list())[0]!;
      expect(before).toEqual({ name: 'quick-check', expression: null, nextDueAt: null, newest: null, finished: null });
      const dueAt = await schedules.runNow('quick-check');
      expect((await schedules.list())[0]).toMatchObject({ newest: { dueAt, outcome: 'running', finishedAt: null }, finished: null });
      task.started[0]!.end.resolve({ healed: 2 });
      await runner.whenIdle();
      const after = (await schedules.list())[0]!;
      expect(after.newest).toEqual(after.finished);
      expect(after.finished).toMatchObject({ dueAt, outcome: 'done', result: { healed: 2 } });
      expect(await schedules.history('quick-check', 10)).toEqual([after.finished]);
    });

    it('shows the last result behind a run under way', async () => {
      const task = new HeldTask();
      const runner = newRunner(task);
      const schedules = new Schedules(runs, runner, EVERY_MINUTE);
      await schedules.runNow('quick-check');
      task.started[0]!.end.resolve('first');
      await runner.whenIdle();
      await schedules.runNow('quick-check');
      expect((await schedules.list())[0]).toMatchObject({ newest: { outcome: 'running' }, finished: { outcome: 'done', result: 'first' } });
    });

    it('refuses a second one while one runs anywhere', async () => {
      const task = new HeldTask();
      await newRunner(task).runNow('quick-check');
      const refusals = await Promise.allSettled(Array.from({ length: 10 }, () => newRunner(task).runNow('quick-check')));
      for (const refusal of refusals) expect(refusal).toMatchObject({ status: 'rejected', reason: { code: 'schedules.running' } });
      expect(task.started).toHaveLength(1);
    });

    it('of ten at the same time one goes', async () => {
      const task = new HeldTask();
      const ten = Array.from({ length: 10 }, () => newRunner(task));
      const outcomes = await Promise.allSettled(ten.map((runner) => runner.runNow('quick-check')));
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(task.started).toHaveLength(1);
    });

    it('knows no other names', async () => {
      const schedules = new Schedules(runs, newRunner(new HeldTask()), EVERY_MINUTE);
      for (const name of ['', 'nonsense', 'constructor']) {
        await expect(schedules.runNow(name)).rejects.toMatchObject({ code: 'schedules.not-found' });
        await expect(schedules.history(name, 1)).rejects.toMatchObject({ code: 'schedules.not-found' });
      }
      // Known, but without a task in this process.
      await expect(schedules.runNow('reconcile')).rejects.toMatchObject({ code: 'schedules.not-found' });
    });
  });

  it('tells when each schedule is due next', async () => {
    const schedules = new Schedules(runs, newRunner(new HeldTask()), EVERY_MINUTE);
    const [quickCheck, reconcile] = await schedules.list();
    const now = await runs.now();
    expect(quickCheck!.nextDueAt!.getTime() - now.getTime()).toBeLessThanOrEqual(60_000);
    expect(quickCheck!.nextDueAt!.getUTCSeconds()).toBe(0);
    expect(reconcile!.nextDueAt).toBeNull();
  });
});
