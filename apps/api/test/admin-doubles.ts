/// <reference types="jest" />
import { DomainError } from '#kernel';
import {
  Certificates,
  DeadLetters,
  GenerationManager,
  LedgerTouch,
  Reconciler,
  Schedules,
  SyncStatistics,
  type Certificate,
  type CertificateReport,
  type GateReport,
  type GenerationPlan,
  type GenerationRecord,
  type ScheduleRun,
  type SyncStatus,
} from '#sync';
import type { Provider } from '@nestjs/common';

export const AT = new Date('2026-11-21T08:00:00.000Z');
export const CERTIFICATE_ID = '0197a6b2-7d20-7f4e-8a6b-1c2d3e4f5a6b';
export const ROW_ID = '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11';

const EMBEDDER = {
  provider: 'local',
  model: 'm',
  revision: 'r',
  dtype: 'q8',
  dimensions: 2,
  pooling: 'mean',
  query_prefix: '',
  document_prefix: '',
  max_tokens: 256,
} as const;

export const generationOf = (id: number, fields: Partial<GenerationRecord> = {}): GenerationRecord => ({
  id,
  source: 'projects',
  collection: `kindred_projects_g${id}_abcdef`,
  modelRev: 'rev',
  templateRev: 'projects/1',
  dimensions: 2,
  state: 'serving',
  embedder: EMBEDDER,
  filledAt: AT,
  pausedAt: null,
  createdAt: AT,
  servingSince: AT,
  standbySince: null,
  retiredAt: null,
  droppedAt: null,
  pauseReason: null,
  reason: null,
  gateReport: null,
  ...fields,
});

const NONE = { count: 0, examples: [] };
const REPORT: CertificateReport = {
  format: 1,
  generation: 1,
  source: 'projects',
  collection: 'kindred_projects_g1_abcdef',
  model: 'm:q8',
  model_rev: 'rev',
  template_rev: 'projects/1',
  database_id: CERTIFICATE_ID,
  store: { source: 'local', version: null, run: null },
  from: AT.toISOString(),
  to: AT.toISOString(),
  duration_ms: 1,
  is_read_only: false,
  is_forced: false,
  after: null,
  up_to: null,
  rows: 1,
  points: 1,
  verified: 1,
  in_flight: 0,
  tombstones: 0,
  dead: 0,
  differences: { missing: NONE, stale: NONE, orphan: NONE, foreign: NONE, wrong_model: NONE, vector: NONE },
  resolved: 0,
  repaired: 0,
  text_verified: true,
  sampled_vectors: 0,
  digest: { algorithm: 'xor-sha256-128/1', rows: '00', points: '00' },
  decision: 'clean',
  reasons: [],
};

export const certificateOf = (id: string): Certificate => ({
  id,
  generationId: 1,
  source: 'projects',
  decision: 'clean',
  startedAt: AT,
  finishedAt: AT,
  report: REPORT,
});

export const GATE_REPORT: GateReport = {
  status: 'running',
  passed: false,
  reasons: [],
  is_forced: false,
  began_at: AT.toISOString(),
  checked_at: null,
  holder: 'test:1',
  certificate_id: null,
  sample: null,
  overlap_at_10: null,
  rank_shift: null,
  comparison: null,
  dead: null,
  pending_before: null,
};

const STATUS: SyncStatus = {
  readAt: AT,
  generations: [
    {
      id: 1,
      source: 'projects',
      collection: 'c',
      state: 'serving',
      pausedAt: null,
      pauseReason: null,
      entries: { pending: 1, synced: 2, dead: 3, tombstone: 4 },
      oldestPendingAgeSeconds: 0.5,
      attempts: [1],
      deadByCode: { 'store.aB': 3 },
      muted: 0,
      leased: 0,
      inDoubt: 0,
      dueTombstones: 0,
    },
  ],
  relay: {
    isRunning: true,
    counts: { leasesExpired: 7 } as SyncStatus['relay']['counts'],
    lag: { boundsMs: [50], counts: [1, 0], sumMs: 5 },
    store: { phase: 'open', pausedForMs: 0, batchLimit: 64, upsertsPausedForMs: 0 },
    embedders: [],
    retryBudgets: [],
    inFlight: 0,
  },
};

const PLAN: GenerationPlan = {
  source: 'projects',
  collectionPrefix: 'kindred_projects_g',
  modelRev: 'rev',
  modelLabel: 'm:q8',
  templateRev: 'projects/1',
  embedder: EMBEDDER,
  rows: 3,
  cachedRows: 1,
  rowsToEmbed: 2,
  tokensToEmbed: 20,
  expectedMinutes: 0.1,
  sample: { rows: 2, tokens: 20, rowsPerSecond: 100 },
  basis: 'measured',
};

const RUN: ScheduleRun = {
  schedule: 'statistics',
  dueAt: AT,
  startedAt: AT,
  finishedAt: AT,
  outcome: 'done',
  holder: 'test:1',
  result: { a: 1 },
};

/** Doubles of the engine's handles: they answer from constants, and a test looks at how they were called. */
export class AdminDoubles {
  readonly statistics = { read: jest.fn(async () => STATUS) };
  readonly deadLetters = {
    list: jest.fn(async () => ({
      items: [
        {
          generationId: 1,
          source: 'projects',
          sourceId: ROW_ID,
          version: 9,
          attempts: 10,
          error: { code: 'x', message: 'y', at: AT.toISOString() },
          changedAt: AT,
          mute: null,
        },
      ],
      next: '1.next' as string | null,
    })),
    requeue: jest.fn(async () => ({ requeued: 2 })),
    mute: jest.fn(async () => ({ muted: 1 })),
    unmute: jest.fn(async () => ({ unmuted: 1 })),
  };
  readonly certificates = {
    list: jest.fn(async ({ limit }: { limit: number }) => Array.from({ length: Math.min(limit, 3) }, () => certificateOf(CERTIFICATE_ID))),
    get: jest.fn(async (id: string) => {
      if (id !== CERTIFICATE_ID) throw new DomainError('sync.certificate-not-found');
      return certificateOf(id);
    }),
    latest: jest.fn(async (): Promise<Certificate | null> => certificateOf(CERTIFICATE_ID)),
  };
  readonly reconciler = { start: jest.fn(async () => ({ id: CERTIFICATE_ID })) };
  readonly generations = {
    list: jest.fn(async () => [generationOf(1)]),
    get: jest.fn(async (id: number) => {
      if (id > 9) throw new DomainError('generations.not-found');
      return generationOf(id, id === 9 ? { state: 'retired' } : {});
    }),
    progress: jest.fn(async (id: number) => ({
      generationId: id,
      isFilled: true,
      entries: { pending: 0, synced: 1, dead: 0, tombstone: 0 },
      ratePerSecond: 0,
      etaSeconds: 0,
    })),
    plan: jest.fn(async () => PLAN),
    create: jest.fn(async () => generationOf(2, { state: 'building' })),
    startGate: jest.fn(async () => GATE_REPORT),
    switchTo: jest.fn(async (id: number) => generationOf(id)),
    rollback: jest.fn(async () => generationOf(1)),
    retire: jest.fn(async (id: number) => generationOf(id, { state: 'retired' })),
  };
  readonly schedules = {
    list: jest.fn(async () => [
      { name: 'statistics' as const, expression: '* * * * *', nextDueAt: AT, newest: RUN, finished: null },
      { name: 'reconcile' as const, expression: null, nextDueAt: null, newest: null, finished: null },
    ]),
    history: jest.fn(async (name: string) => {
      if (name !== 'statistics') throw new DomainError('schedules.not-found');
      return [RUN];
    }),
    runNow: jest.fn(async (name: string) => {
      if (name !== 'statistics') throw new DomainError('schedules.not-found');
      return AT;
    }),
  };

  readonly touch = {
    touch: jest.fn(async (_generation: number, _after: string | null, _limit: number) => ({ touched: 2, next: ROW_ID as string | null })),
  };

  providers(): Provider[] {
    return [
      { provide: SyncStatistics, useValue: this.statistics },
      { provide: DeadLetters, useValue: this.deadLetters },
      { provide: LedgerTouch, useValue: this.touch },
      { provide: Certificates, useValue: this.certificates },
      { provide: Reconciler, useValue: this.reconciler },
      { provide: GenerationManager, useValue: this.generations },
      { provide: Schedules, useValue: this.schedules },
    ];
  }
}
