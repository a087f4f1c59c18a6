import type { IndexDirectory, IndexEntryStatus } from '#sync';
import { waitUntilIndexed } from './index-wait.js';

/** Double that answers with the next state of the list, the last one for ever. */
function directoryOf(...states: (IndexEntryStatus['state'] | null | Error)[]): IndexDirectory & { looks: number } {
  const directory = {
    looks: 0,
    async entryStatus() {
      const state = states[Math.min(directory.looks++, states.length - 1)]!;
      if (state instanceof Error) throw state;
      return state === null
        ? null
        : { generationId: 1, state, version: 1, indexedVersion: null, attempts: 0, isTruncated: null, lastError: null };
    },
  };
  return directory as unknown as IndexDirectory & { looks: number };
}

const wait = (directory: IndexDirectory, timeoutMs: number) => waitUntilIndexed(directory, 'projects', 'id', timeoutMs);

describe('waitUntilIndexed', () => {
  it('ends as soon as the row is synced', async () => {
    const directory = directoryOf('pending', 'pending', 'synced');
    await expect(wait(directory, 10_000)).resolves.toBe('synced');
    expect(directory.looks).toBe(3);
  });

  it('counts a tombstone as a delete that has arrived', async () => {
    await expect(wait(directoryOf('tombstone'), 10_000)).resolves.toBe('synced');
  });

  it('ends with dead, because waiting cannot help', async () => {
    await expect(wait(directoryOf('dead'), 10_000)).resolves.toBe('dead');
  });

  it('goes on when the engine cannot say', async () => {
    await expect(wait(directoryOf(new Error('down'), null, 'synced'), 10_000)).resolves.toBe('synced');
  });

  it('says pending when the time is over', async () => {
    await expect(wait(directoryOf('pending'), 20)).resolves.toBe('pending');
  });

  it('does not look at all without time', async () => {
    const directory = directoryOf('synced');
    await expect(wait(directory, 0)).resolves.toBe('pending');
    expect(directory.looks).toBe(0);
  });
});
