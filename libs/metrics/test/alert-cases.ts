import { valuesOf } from './alert-rules.js';
import type { FixedSeries } from './promql/evaluate.js';

/** Fixed series, and whether the alert fires at a time. */
export interface AlertCase {
  readonly alert: string;
  readonly what: string;
  readonly series: readonly FixedSeries[];
  /** Seconds. */
  readonly at: number;
  readonly fires: boolean;
}

const API = { job: 'kindred', instance: 'api-1' };
const MINUTE = 60;

const series = (name: string, labels: Record<string, string>, values: string): FixedSeries => ({
  name,
  labels: { ...API, ...labels },
  values: valuesOf(values),
});

/** Three cases for a gauge that is bad from the start: it fires when it has lasted, not before, and not for a value that is good. */
function gaugeCases(
  alert: string,
  name: string,
  labels: Record<string, string>,
  bad: number,
  good: number,
  forSeconds: number,
): AlertCase[] {
  const of = (value: number) => [series(name, labels, `${value}x80`)];
  return [
    { alert, what: `${bad} has lasted`, series: of(bad), at: forSeconds, fires: true },
    ...(forSeconds === 0 ? [] : [{ alert, what: `${bad} has not lasted`, series: of(bad), at: forSeconds - 15, fires: false }]),
    { alert, what: `${good} is good`, series: of(good), at: 20 * MINUTE, fires: false },
  ];
}

const requests = (perStep: number) =>
  series('kindred_http_request_duration_seconds_count', { method: 'POST', endpoint: '/api/v1/projects', status: '2xx' }, `0+${perStep}x80`);
const failures = (perStep: number) =>
  series('kindred_http_request_errors_total', { method: 'POST', endpoint: '/api/v1/projects' }, `0+${perStep}x80`);

/** Of 100 searches per step: so many up to 50 ms, up to 100 ms, up to 150 ms. */
const searches = (within50: number, within100: number, texts = 'one'): FixedSeries[] =>
  Object.entries({ '0.05': within50, '0.1': within100, '0.15': 100, '+Inf': 100 }).map(([le, perStep]) =>
    series('kindred_search_duration_seconds_bucket', { source: 'local', mode: 'hybrid', texts, le }, `0+${perStep}x80`),
  );

const certificate = (ageSeconds: number): FixedSeries[] => [
  series('kindred_certificate_age_seconds', { source: 'projects' }, `${ageSeconds}x80`),
  series('kindred_certificate_max_age_seconds', { source: 'projects' }, '172800x80'),
];

const disk = (free: number): FixedSeries[] => [
  series('kindred_data_directory_free_bytes', {}, `${free}x80`),
  series('kindred_data_directory_size_bytes', {}, '1000x80'),
];

/** One search from the copy, after five quiet minutes; then none any more. */
const oneFallback = [series('kindred_fallback_searches_total', {}, '4x20 5x60')];

export const ALERT_CASES: readonly AlertCase[] = [
  ...gaugeCases('KindredDown', 'up', {}, 0, 1, 2 * MINUTE),
  ...gaugeCases('KindredDatabaseDown', 'kindred_database_up', {}, 0, 1, MINUTE),
  ...gaugeCases('KindredIndexDown', 'kindred_vector_store_up', {}, 0, 1, MINUTE),

  { alert: 'KindredErrorRate', what: '2 % fail', series: [requests(100), failures(2)], at: 6 * MINUTE, fires: true },
  { alert: 'KindredErrorRate', what: '2 % fail since a moment', series: [requests(100), failures(2)], at: 5 * MINUTE, fires: false },
  { alert: 'KindredErrorRate', what: '0.5 % fail', series: [requests(1_000), failures(5)], at: 15 * MINUTE, fires: false },
  { alert: 'KindredErrorRate', what: 'nothing has ever failed', series: [requests(100)], at: 15 * MINUTE, fires: false },

  { alert: 'KindredSearchSlow', what: 'a tenth takes longer than 100 ms', series: searches(50, 90), at: 11 * MINUTE, fires: true },
  { alert: 'KindredSearchSlow', what: 'since nine minutes', series: searches(50, 90), at: 9 * MINUTE, fires: false },
  { alert: 'KindredSearchSlow', what: 'a fiftieth does', series: searches(50, 98), at: 20 * MINUTE, fires: false },
  { alert: 'KindredSearchSlow', what: 'searches of many texts do', series: searches(50, 90, 'many'), at: 20 * MINUTE, fires: false },

  ...gaugeCases(
    'KindredChangesWait',
    'kindred_ledger_oldest_pending_age_seconds',
    { source: 'projects', generation: 'serving' },
    400,
    290,
    MINUTE,
  ),
  {
    alert: 'KindredChangesWait',
    what: 'a generation that is being filled has old entries',
    series: [series('kindred_ledger_oldest_pending_age_seconds', { source: 'projects', generation: 'building' }, '9000x80')],
    at: 20 * MINUTE,
    fires: false,
  },

  ...gaugeCases(
    'KindredDeadLetters',
    'kindred_ledger_entries',
    { source: 'projects', generation: 'serving', state: 'dead' },
    1,
    0,
    5 * MINUTE,
  ),
  {
    alert: 'KindredDeadLetters',
    what: 'rows are pending',
    series: [series('kindred_ledger_entries', { source: 'projects', generation: 'serving', state: 'pending' }, '50x80')],
    at: 20 * MINUTE,
    fires: false,
  },

  ...gaugeCases('KindredRelayStuck', 'kindred_relay_seconds_without_progress', {}, 75, 55, MINUTE),

  { alert: 'KindredCertificateOld', what: 'older than two schedules', series: certificate(180_000), at: 10 * MINUTE, fires: true },
  { alert: 'KindredCertificateOld', what: 'since nine minutes', series: certificate(180_000), at: 9 * MINUTE, fires: false },
  { alert: 'KindredCertificateOld', what: 'of yesterday', series: certificate(90_000), at: 20 * MINUTE, fires: false },
  { alert: 'KindredCertificateOld', what: 'there is no schedule', series: certificate(900_000).slice(0, 1), at: 20 * MINUTE, fires: false },

  ...gaugeCases('KindredCertificateDiffers', 'kindred_certificate_differences', { source: 'projects', kind: 'missing' }, 1, 0, MINUTE),

  { alert: 'KindredFallbackInUse', what: 'one search a minute ago', series: oneFallback, at: 6 * MINUTE + 15, fires: true },
  { alert: 'KindredFallbackInUse', what: 'one search just now', series: oneFallback, at: 5 * MINUTE + 30, fires: false },
  { alert: 'KindredFallbackInUse', what: 'none for ten minutes', series: oneFallback, at: 16 * MINUTE, fires: false },

  ...gaugeCases('KindredIndexFull', 'kindred_relay_upserts_paused_seconds', {}, 5, 0, 0),

  { alert: 'KindredDiskAlmostFull', what: '5 % free', series: disk(50), at: 10 * MINUTE, fires: true },
  { alert: 'KindredDiskAlmostFull', what: 'since nine minutes', series: disk(50), at: 9 * MINUTE, fires: false },
  { alert: 'KindredDiskAlmostFull', what: '20 % free', series: disk(200), at: 20 * MINUTE, fires: false },

  ...gaugeCases('KindredEventLoopStalled', 'kindred_event_loop_delay_seconds', { quantile: 'max' }, 1.2, 0.9, 0),

  {
    alert: 'KindredScrapeIncomplete',
    what: 'the ledger cannot be read for a quarter of an hour',
    series: [series('kindred_scrape_failures_total', { reading: 'ledger' }, '0+0.1x80')],
    at: 12 * MINUTE,
    fires: true,
  },
  {
    alert: 'KindredScrapeIncomplete',
    what: 'it could not once',
    series: [series('kindred_scrape_failures_total', { reading: 'ledger' }, '0x4 1x76')],
    at: 4 * MINUTE,
    fires: false,
  },
];
