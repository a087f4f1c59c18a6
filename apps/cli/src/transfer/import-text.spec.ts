import { problemText, progressText, summaryText, uploadText, workedMs, type ImportJobReply } from './import-text.js';

const JOB: ImportJobReply = {
  id: 'j',
  state: 'running',
  dry_run: false,
  progress: {
    lines: 520,
    accepted: 518,
    inserted: 500,
    updated: 10,
    unchanged: 8,
    rejected: 2,
    bytes: 50,
    total_bytes: 100,
    rate_per_second: 512.4,
    eta_seconds: 8.2,
  },
  problems: { found: 2 },
  error: null,
  notice: null,
  index_pending: 0,
};

describe('progress of an import', () => {
  it('has a bar on a terminal, and words elsewhere', () => {
    expect(progressText(JOB, true)).toBe('[############------------] 50 %, 520 rows, 2 rejected, 512/s, 8.2 s left');
    expect(progressText(JOB, false)).toBe('50 %, 520 rows, 2 rejected, 512/s, 8.2 s left');
  });

  it('says what it waits for, and leaves out what is not known', () => {
    expect(progressText({ ...JOB, state: 'queued' }, true)).toBe('Waiting for its turn');
    const progress = { ...JOB.progress, lines: 0, rejected: 0, bytes: 0, rate_per_second: null, eta_seconds: null };
    expect(progressText({ ...JOB, progress }, false)).toBe('0 %, 0 rows');
  });
});

describe('progress of an upload', () => {
  it('has a bar on a terminal, and says how much where the size is not known', () => {
    expect(uploadText(512, 1_024, true)).toBe('Uploading [############------------] 50 %');
    expect(uploadText(512, 1_024, false)).toBe('Uploading 50 %');
    expect(uploadText(1_572_864, null, true)).toBe('Uploading, 1.5 MiB');
    expect(uploadText(0, 0, true)).toBe('Uploading, 0.0 MiB');
  });
});

describe('end of an import', () => {
  it('that was come back to takes the time in which it was worked on', () => {
    expect(workedMs(JOB)).toBeCloseTo((520 / 512.4) * 1_000);
    expect(workedMs({ ...JOB, progress: { ...JOB.progress, rate_per_second: null } })).toBeNull();
  });

  it('is summed up', () => {
    expect(summaryText({ ...JOB, state: 'done' }, 2_000).split('\n')).toEqual([
      'Total: 520',
      'Successfully migrated: 518',
      'Failed: 2',
      'Total time: 2.00 s',
      'Average: 3.85 ms per row',
      '500 new, 10 changed, 8 unchanged.',
    ]);
  });

  it('begins with the news that it was a dry run', () => {
    const lines = summaryText({ ...JOB, state: 'done', dry_run: true, notice: 'A dry run: nothing was written' }, 2_000).split('\n');
    expect(lines.slice(0, 2)).toEqual(['A dry run: nothing was written.', 'Total: 520']);
    expect(lines.filter((line) => line.includes('dry run'))).toHaveLength(1);
  });

  it('says why it has failed, what stays, and what is still to come', () => {
    const failed = {
      ...JOB,
      state: 'failed',
      error: { code: 'not-utf8', detail: 'the file is UTF-16' },
      notice: 'No row was written',
      index_pending: 7,
    } as const;
    const lines = summaryText(failed, 0).split('\n');
    expect(lines[0]).toBe('The import is failed: the file is UTF-16 (not-utf8).');
    expect(lines.slice(-2)).toEqual(['No row was written.', 'Not searchable yet: 7']);
  });

  it('names each problem by file and line', () => {
    const problem = { line: 17, pointer: '/complexity', code: 'too-large', detail: 'must be at most 5' };
    expect(problemText('a.csv', problem)).toBe('a.csv:17: /complexity must be at most 5 (too-large)');
    expect(problemText('a.csv', { ...problem, pointer: '' })).toBe('a.csv:17: must be at most 5 (too-large)');
  });
});
