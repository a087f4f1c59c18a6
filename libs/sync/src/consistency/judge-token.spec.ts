import { judgeToken, type EntryPosition } from './judge-token.js';

const TOKEN = { source: 'projects', id: '0197a6b2-6c1e-7c3a-9d55-0f6f3b0c2a11', generationId: 1, version: 10 };
const entry = (state: EntryPosition['state'], version: number, indexedVersion: number | null, isInDoubt = false): EntryPosition => ({
  state,
  version,
  indexedVersion,
  isInDoubt,
});

describe('judgeToken', () => {
  it.each([
    ['the write itself is written', entry('synced', 10, 10), 'reached'],
    ['a later one is written', entry('synced', 12, 12), 'reached'],
    ['nothing had to be written, the content was there', entry('synced', 10, 7), 'reached'],
    ['its delete is written', entry('tombstone', 10, null), 'reached'],
    ['a later delete is written', entry('tombstone', 11, null), 'reached'],
    ['the entry is gone', null, 'reached'],
    ['a newer change waits behind it', entry('pending', 12, 10), 'reached'],
    ['a newer change is dead behind it', entry('dead', 12, 10), 'reached'],
    ['a newer change may be on its way', entry('pending', 12, 10, true), 'behind'],
    ['the record of the index was seen to be wrong', entry('pending', 12, 11, true), 'behind'],
    ['it waits', entry('pending', 10, 9), 'behind'],
    ['nothing of the row is written yet', entry('pending', 10, null), 'behind'],
    ['what is written is older', entry('synced', 9, 9), 'behind'],
    ['an older delete is written', entry('tombstone', 9, null), 'behind'],
    ['it is dead', entry('dead', 10, 9, true), 'dead'],
  ])('in its own generation, when %s', (_case, position, expected) => {
    expect(judgeToken(TOKEN, 1, position)).toBe(expected);
  });

  it.each([
    ['the row is settled, whatever its version', entry('synced', 3, 3), 'reached'],
    ['the row is deleted there', entry('tombstone', 3, null), 'reached'],
    ['there is no entry', null, 'reached'],
    ['something waits, whatever is written', entry('pending', 30, 29), 'behind'],
    ['it is dead there', entry('dead', 30, 29), 'dead'],
  ])('in another generation, when %s', (_case, position, expected) => {
    expect(judgeToken(TOKEN, 2, position)).toBe(expected);
  });
});
