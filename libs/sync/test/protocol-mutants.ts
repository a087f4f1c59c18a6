import { MutatedUnitOfWork, type SqlMutation, type StoreWeakness } from '#testing';
import type { IndexRelay, RelayContext, RelaySettings } from '../src/index.js';
import type { RelaySteps } from '../src/relay/relay-steps.js';
import type { WorkItem } from '../src/relay/work-item.js';
import type { ModelProfile } from './model-profile.js';
import type { SyncHarness } from './sync-harness.js';

/** A guard of the protocol that is taken out, to see the model notice. */
export interface ProtocolMutant {
  readonly name: string;
  /** The first seed to try: one that is known to notice. Default 1. */
  readonly seed?: number;
  /** What the runs are about. Default `steps`. */
  readonly profile?: ModelProfile;
  /** Text of the capture function that is replaced. */
  readonly capture?: SqlMutation;
  readonly store?: StoreWeakness;
  readonly settings?: Partial<RelaySettings>;
  /** Statements that prove the mutation was there. */
  readonly mutated?: MutatedUnitOfWork[];
  context?(harness: SyncHarness): Partial<RelayContext>;
  relay?(relay: IndexRelay, harness: SyncHarness): void;
  /** Text of the statements of reconciler and restore guard that is replaced. */
  readonly repair?: SqlMutation;
}

/** Statements of the relay with one piece replaced. */
function sql(name: string, mutation: SqlMutation | SqlMutation[]): ProtocolMutant {
  const mutated: MutatedUnitOfWork[] = [];
  return {
    name,
    mutated,
    context: ({ database }) => {
      const unitOfWork = new MutatedUnitOfWork(database.relayUnitOfWork, mutation);
      mutated.push(unitOfWork);
      return { unitOfWork };
    },
  };
}

type Read = RelaySteps['read'];

/** The relay's read step with other results. */
function read(
  name: string,
  change: (items: WorkItem[], harness: SyncHarness, steps: RelaySteps) => Promise<WorkItem[]> | WorkItem[],
): ProtocolMutant {
  return {
    name,
    relay: (relay, harness) => {
      const claim = relay.claim.bind(relay);
      relay.claim = async (...args) => {
        const passes = await claim(...args);
        for (const { steps } of passes) {
          const original: Read = steps.read.bind(steps);
          steps.read = async (entries) => change(await original(entries), harness, steps);
        }
        return passes;
      };
    },
  };
}

/** What a relay skips that takes the text for the whole content, or the bookkeeping for the truth. */
function skipping(isSkipped: (item: Extract<WorkItem, { action: 'upsert' }>, steps: RelaySteps) => boolean) {
  return (items: WorkItem[], _harness: SyncHarness, steps: RelaySteps): WorkItem[] =>
    items.map((item) => (item.action === 'upsert' && isSkipped(item, steps) ? { action: 'skip', entry: item.entry, rev: item.rev } : item));
}

/**
 * One per guard; each must be found within the budget of its test. Guards whose absence needs a longer coincidence than a random walk meets (a token per
 * claim, the token of an acknowledge, what a delete leaves behind, the version of a purge,
 * the order of locks) have directed tests in protocol-guards and protocol-schedules.
 */
export const PROTOCOL_MUTANTS: readonly ProtocolMutant[] = [
  {
    name: 'rule 1: a key that comes back begins at version 1',
    seed: 4,
    capture: { replace: "SELECT g.id, c.id, nextval('public.index_version_seq')", by: 'SELECT g.id, c.id, 1' },
  },
  sql('rule 2: a claim leaves no doubt', { replace: 'in_doubt = true', by: 'in_doubt = l.in_doubt', within: 'attempts = attempts + 1' }),
  {
    ...sql('rule 3: the token is not checked before the read', {
      replace: 'AND lease_token = $3',
      by: 'AND $3::uuid IS NOT NULL',
      within: 'SELECT source_id, version',
    }),
    profile: 'stalls',
    seed: 59,
  },
  read('rule 3: the version is read after the row', async (items, { database, generation }) => {
    const ids = items.map(({ entry }) => entry.sourceId);
    const { rows } = await database.query<{ source_id: string; version: string }>(
      'SELECT source_id, version FROM index_ledger WHERE generation_id = $1 AND source_id = ANY($2::uuid[])',
      [generation.id, ids],
    );
    const versions = new Map(rows.map((row) => [row.source_id, Number(row.version)]));
    return items.map((item) => ({ ...item, rev: versions.get(item.entry.sourceId) ?? item.rev }));
  }),
  {
    ...read(
      'rule 4: equal texts are skipped, whatever the payload',
      skipping((item, steps) => !steps.isInDoubt(item.entry) && item.entry.indexedHash?.equals(item.textHash) === true),
    ),
    seed: 28,
  },
  read(
    'rule 4: equal bookkeeping is skipped although it is in doubt',
    skipping(
      ({ entry, textHash, payloadHash }) =>
        entry.indexedHash?.equals(textHash) === true && entry.indexedPayloadHash?.equals(payloadHash) === true,
    ),
  ),
  { name: 'rule 5: upserts are not fenced', seed: 14, store: 'no-upsert-fence' },
  { name: 'rule 5: upserts only insert', store: 'insert-only' },
  { name: 'rule 5: deletes are not fenced', seed: 145, store: 'no-delete-fence' },
  { name: 'rule 5: accepted counts as done, for an upsert', store: 'no-upsert' },
  { name: 'rule 5: accepted counts as done, for a delete', seed: 16, store: 'no-delete' },
  sql('rule 6: the version is not checked', { replace: 'l.version <> d.rev', by: 'false', within: 'is_recorded' }),
  { name: 'rule 8: no grace', seed: 393, settings: { graceMs: 0 } },
  {
    name: 'rule 9: a repair leaves no doubt',
    seed: 38,
    repair: { replace: 'in_doubt = true, attempts = 0', by: 'in_doubt = l.in_doubt, attempts = 0' },
  },
  {
    name: 'rule 9: a repair does not move the version',
    seed: 24,
    repair: {
      replace: "version = greatest(l.version + 1, nextval('index_version_seq'), s.point_rev::bigint + 1)",
      by: 'version = l.version',
    },
  },
  {
    name: 'rule 10: the sequence is not raised above the index',
    seed: 61,
    repair: { replace: 'greatest(last_value, $1::bigint) + 1000000', by: 'last_value + 0 * $1::bigint' },
  },
];
