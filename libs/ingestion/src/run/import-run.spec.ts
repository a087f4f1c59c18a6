import { z } from 'zod';
import type { ImportJob } from '../import-job.js';
import type { RowWriter } from '../import-target.js';
import { ImportRun } from './import-run.js';
import type { ImportRunStore } from './import-run.store.js';

const START = { offset: 0, line: 0, csv: null };
const JOB = {
  id: '0198c2a8-0000-7000-8000-000000000001',
  format: 'ndjson',
  options: { collectionId: null, delimiter: null, isDryRun: false },
  counts: { lines: 0, accepted: 0, inserted: 0, updated: 0, unchanged: 0, rejected: 0 },
  problems: 0,
  checkpoint: START,
  activeMs: 0,
} as unknown as ImportJob;

describe('ImportRun', () => {
  it('lets everybody else have a turn while it reads and judges a batch', async () => {
    const ROWS = 100;
    const MS_PER_LOOK = 1;
    let nowMs = 0;
    let turns = 0;
    let turnsBeforeTheBatch = 0;
    let isOver = false;
    const takeTurn = (): void => {
      turns++;
      if (!isOver) setImmediate(takeTurn);
    };
    const writer: RowWriter = {
      schema: z.object({ name: z.string() }),
      csv: { types: new Map(), aliases: new Map(), required: [], readOnly: [] },
      resolve: async (rows) => {
        turnsBeforeTheBatch = turns;
        return { rows: rows.map((row) => ({ ...row, key: null })), refused: new Map() };
      },
      prepare: async (rows) => async () => ({ inserted: rows.length, updated: 0, unchanged: 0 }),
    };
    const store: Partial<ImportRunStore> = {
      findKeys: async () => new Map(),
      batch: async (_held, write) => (await write({ query: () => Promise.reject(new Error('no SQL here')) } as never), true),
      noteKeys: async () => {},
      addProblems: async () => {},
      advance: async () => {},
    };
    async function* file() {
      yield Buffer.from('{"name":"oak"}\n'.repeat(ROWS));
    }
    const run = new ImportRun({
      job: JOB,
      held: { jobId: JOB.id, token: 'held' },
      writer,
      store: store as ImportRunStore,
      files: { read: file },
      limits: { maxRows: 1_000, maxLineBytes: 1_000 },
      beforeBatch: async () => {},
      afterBatch: () => {},
      monotonicMs: () => (nowMs += MS_PER_LOOK),
      signal: new AbortController().signal,
    });
    setImmediate(takeTurn);
    await expect(run.run()).resolves.toBe('done');
    isOver = true;
    expect(turnsBeforeTheBatch).toBeGreaterThan(ROWS / 10);
  });
});
