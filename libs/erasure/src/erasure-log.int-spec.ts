import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ErasureLog } from './erasure-log.js';
import type { ErasureRecord } from './erasure-record.js';

describe('ErasureLog', () => {
  let folder: string;
  let log: ErasureLog;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kindred-erasures-'));
    log = new ErasureLog(join(folder, 'deeper', 'erasures.ndjson'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const record = (n: number): ErasureRecord => {
    const id = `00000000-0000-4000-8000-00000000000${n}`;
    const requestedAt = '2026-01-01T00:00:00.000Z';
    return {
      erasure_id: id,
      kind: 'project',
      target_id: id,
      source: 'projects',
      point_ids: [id],
      text_hashes: ['00ff'],
      requested_at: requestedAt,
    };
  };

  it('holds nothing before the first line, and keeps the order of the lines', async () => {
    expect(await log.read()).toEqual({ isThere: false, records: [], unreadableLines: [] });
    expect(existsSync(log.path)).toBe(false);
    await log.append(record(1));
    await log.append(record(2));
    expect((await log.read()).records).toEqual([record(1), record(2)]);
    expect(statSync(log.path).mode & 0o777).toBe(0o600);
  });

  it('gets over a line that a crash has cut off, and adds none to its end', async () => {
    await log.append(record(1));
    appendFileSync(log.path, '{"erasure_id":"0000');
    expect(await log.read()).toEqual({ isThere: true, records: [record(1)], unreadableLines: [] });
    await log.append(record(2));
    expect(await log.read()).toEqual({ isThere: true, records: [record(1), record(2)], unreadableLines: [2] });
    expect(readFileSync(log.path, 'utf8').split('\n')).toHaveLength(4);
  });

  it('refuses to be read when a whole line is no erasure: what it said would come back', async () => {
    await log.append(record(1));
    writeFileSync(log.path, '{"kind":"project"}\n');
    await expect(log.read()).rejects.toThrow('Line 1');
  });
});
