import { faultSeed, faultTrials, recordTrials, waitFor, workloadId, type ServerProcess } from '#testing';
import { FaultStage } from './fault-stage.js';

const TRIALS = faultTrials(2, 30);
const STOPPED_WITHIN_MS = 40_000;

/** What the row has become while a relay was frozen with the old content in its hands. */
const VARIANTS = ['update', 'delete', 'delete and re-create'] as const;
type Variant = (typeof VARIANTS)[number];

describe('T5: a relay that is frozen beyond its lease, just before it sends', () => {
  let stage: FaultStage;
  let zombie: ServerProcess;
  let other: ServerProcess;
  let row = 0;
  let stops = 0;

  beforeAll(async () => {
    stage = await FaultStage.set();
    other = await stage.start('worker');
    other.signal('SIGSTOP');
    zombie = await stage.start('worker', { KINDRED_STOP_AT: 'relay.before-upsert:*' });
  }, 120_000);
  afterAll(async () => {
    recordTrials({ test: 'T5', what: 'relays frozen beyond their lease', count: stops, seed: faultSeed });
    // A stopped process hears no other signal than this one.
    await stage.strike();
  });

  const put = (id: string, text: string) =>
    stage.query(
      `INSERT INTO projects (id, name, description) VALUES ($1, 'Row', $2) ON CONFLICT (id) DO UPDATE SET description = EXCLUDED.description`,
      [id, text],
    );
  const remove = (id: string) => stage.query('DELETE FROM projects WHERE id = $1', [id]);

  async function change(id: string, variant: Variant): Promise<void> {
    if (variant !== 'update') await remove(id);
    if (variant !== 'delete') await put(id, `new ${row}`);
  }

  const isFrozen = () => zombie.output.filter((line) => line.includes('SIGSTOP')).length > stops;

  /** The zombie takes the old content and freezes; the other relay brings the index to the new one; the zombie wakes and sends. */
  async function freezeAndThaw(variant: Variant): Promise<string[]> {
    const id = workloadId(5, ++row);
    await put(id, `old ${row}`);
    await waitFor(isFrozen, { what: 'the relay is frozen', timeoutMs: STOPPED_WITHIN_MS });
    other.signal('SIGCONT');
    await change(id, variant);
    await stage.untilInStep();
    // While it wakes it must be the only one at work, so that nobody heals what it does.
    other.signal('SIGSTOP');
    stops++;
    zombie.signal('SIGCONT');
    // Its answer comes as soon as the index has it: the send is over when the index has seen a request after the thaw, and one look later.
    await waitUntilThawed();
    return stage.checker.differences();
  }

  async function healedByTombstone(): Promise<void> {
    other.signal('SIGCONT');
    await stage.untilInStep();
    await waitFor(async () => (await stage.query(`SELECT 1 FROM index_ledger WHERE state = 'tombstone'`)).rowCount === 0, {
      what: 'every tombstone is checked',
      timeoutMs: 20_000,
    });
    expect(await stage.checker.differences()).toEqual([]);
    other.signal('SIGSTOP');
  }

  async function waitUntilThawed(): Promise<void> {
    const before = stage.indexProxy.bytes.request;
    await waitFor(() => stage.indexProxy.bytes.request > before || isFrozen(), { what: 'the thawed relay sends', timeoutMs: 3_000 }).catch(
      // It may as well see that its lease is over, and send nothing.
      () => undefined,
    );
    await waitFor(async () => (await stage.query('SELECT 1')).rowCount === 1, { what: 'a turn' });
  }

  it.each(VARIANTS)(
    '%s: the old content does not come back',
    async (variant) => {
      for (let n = 0; n < TRIALS; n++) {
        const differences = await freezeAndThaw(variant);
        // There is nothing left to fence against: the point is back until its tombstone is checked, after the grace, by whoever works.
        if (variant === 'delete') await healedByTombstone();
        else expect(differences).toEqual([]);
      }
    },
    60_000 + TRIALS * 60_000,
  );

  it('is noticed when the index does not fence', async () => {
    if (stage.double === null) return;
    stage.double.weaken('no-upsert-fence');
    const differences = await freezeAndThaw('update');
    stage.double.weaken(null);
    expect(differences).not.toEqual([]);
  }, 120_000);
});
