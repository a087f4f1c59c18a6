import { payloadHashOf, textHashOf } from '../hashing.js';
import type { ClaimedEntry } from '../ledger/ledger-entry.js';
import { decide } from './decide.js';

const document = { id: 'x', text: 'text', payload: { complexity: 1 } };
const indexed = { indexedHash: textHashOf('m', 't', 'text'), indexedPayloadHash: payloadHashOf({ complexity: 1 }) };
const entry = (overrides: Partial<ClaimedEntry> = {}): ClaimedEntry => ({
  generationId: 1,
  sourceId: 'x',
  version: 5,
  state: 'pending',
  attempts: 1,
  wasInDoubt: false,
  hadExpired: false,
  ...indexed,
  ...overrides,
});
const actionOf = (claimed: ClaimedEntry, isInDoubt = false, row: typeof document | undefined = document) =>
  decide({ entry: claimed, rev: 6, document: row, isInDoubt }, 'm', 't').action;

describe('decide', () => {
  it('skips only when text and payload are those of the index, and nothing is in doubt', () => {
    expect(actionOf(entry())).toBe('skip');
    expect(actionOf(entry(), true)).toBe('upsert');
    expect(actionOf(entry({ indexedHash: textHashOf('m', 't', 'other') }))).toBe('upsert');
    expect(actionOf(entry({ indexedPayloadHash: payloadHashOf({ complexity: 2 }) }))).toBe('upsert');
    expect(actionOf(entry({ indexedHash: null, indexedPayloadHash: null }))).toBe('upsert');
  });

  it('deletes when there is no row, whatever the index holds', () => {
    expect(decide({ entry: entry(), rev: 6, document: undefined, isInDoubt: false }, 'm', 't')).toMatchObject({ action: 'delete', rev: 6 });
  });

  it('writes under the version of the read, not of the claim', () => {
    expect(decide({ entry: entry(), rev: 6, document, isInDoubt: true }, 'm', 't')).toMatchObject({ action: 'upsert', rev: 6 });
  });
});
