import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Pepper } from './pepper.js';

describe('Pepper', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kindred-pepper-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('is the configured one', () => {
    expect(Pepper.of('one', folder).digest('key')).toEqual(new Pepper('one').digest('key'));
    expect(Pepper.of('one', folder).digest('key')).not.toEqual(Pepper.of('two', folder).digest('key'));
    expect(Pepper.of('one', folder).id).not.toBe(Pepper.of('two', folder).id);
  });

  it('is made once for a data directory, and only its owner may read it', () => {
    const first = Pepper.of(null, join(folder, 'data'));
    expect(Pepper.of(null, join(folder, 'data')).id).toBe(first.id);
    expect(Pepper.of(null, join(folder, 'other')).id).not.toBe(first.id);
    expect(statSync(join(folder, 'data', 'api-key-pepper')).mode & 0o777).toBe(0o600);
  });

  it('is not made by a look at it', () => {
    expect(Pepper.existing(null, folder)).toBeNull();
    const { id } = Pepper.of(null, folder);
    expect(Pepper.existing(null, folder)?.id).toBe(id);
    expect(Pepper.existing('one', folder)?.id).toBe(new Pepper('one').id);
  });
});
