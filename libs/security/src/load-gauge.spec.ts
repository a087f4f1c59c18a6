import { loadConfig } from '#config';
import { FixedClock } from '#testing';
import { LoadGauge } from './load-gauge.js';

const BUDGET_MS = 500;

describe('LoadGauge', () => {
  let clock: FixedClock;
  let gauge: LoadGauge;
  beforeEach(() => {
    clock = new FixedClock();
    gauge = new LoadGauge(loadConfig({ OVERLOAD_WAIT_MS: String(BUDGET_MS) }).security, clock);
  });

  /** As many searches under way as are let in; each that ends makes room for the next. @returns how many were let in at most */
  function fill(turns: number, searchMs: number): number {
    let inFlight = 0;
    let most = 0;
    for (let turn = 0; turn < turns; turn++) {
      while (inFlight < 1_000 && gauge.begin()) inFlight++;
      most = Math.max(most, turn > turns / 2 ? inFlight : 0);
      clock.advance(searchMs);
      gauge.end(1);
      inFlight--;
    }
    while (inFlight-- > 0) {
      clock.advance(searchMs);
      gauge.end(1);
    }
    return most;
  }

  it('lets in what does not wait longer than the budget', () => {
    // The first round fills the queue before anything is known; it is measured behind that.
    for (let turn = 0; turn < 200; turn++) {
      gauge.begin();
      clock.advance(10);
      gauge.end(1);
    }
    const most = fill(400, 10);
    expect(most).toBeGreaterThanOrEqual(45);
    expect(most).toBeLessThanOrEqual(56);
    expect(gauge.shed).toBeGreaterThan(0);
  });

  it('lets a few in whatever it expects, so that it finds out when it is over', () => {
    fill(20, 2_000);
    for (let search = 0; search < 8; search++) expect(gauge.begin()).toBe(true);
    expect(gauge.begin()).toBe(false);
    // A search that waits for a write is not begun, but turned away as well.
    const before = gauge.shed;
    expect(gauge.turnsAway()).toBe(true);
    expect(gauge.shed).toBe(before + 1);
    for (let search = 0; search < 8; search++) gauge.end(1);
    for (let turn = 0; turn < 200; turn++) {
      gauge.begin();
      clock.advance(5);
      gauge.end(1);
    }
    for (let search = 0; search < 50; search++) expect(gauge.begin()).toBe(true);
  });

  it('counts a batch as the searches that it holds', () => {
    gauge.begin();
    gauge.add(49);
    clock.advance(500);
    gauge.end(50);
    expect(gauge.expectedWaitMs).toBe(0);
    gauge.begin();
    expect(gauge.expectedWaitMs).toBeCloseTo(10, 0);
  });

  it('turns searches away while the event loop is late', () => {
    for (let search = 0; search < 8; search++) gauge.begin();
    gauge.noteLag(BUDGET_MS + 1);
    expect(gauge.begin()).toBe(false);
    gauge.noteLag(3);
    expect(gauge.begin()).toBe(true);
  });

  it('turns nothing away without a budget', () => {
    gauge = new LoadGauge(loadConfig({ OVERLOAD_WAIT_MS: '0' }).security, clock);
    fill(5, 2_000);
    for (let search = 0; search < 500; search++) expect(gauge.begin()).toBe(true);
  });
});
