import { during, faultSeed, faultTrials, recordTrials, RowWorkload, SeededRandom, type ServerProcess } from '#testing';
import { setTimeout as delay } from 'node:timers/promises';
import { FaultStage } from './fault-stage.js';

const LASTS_MS = faultTrials(20_000, 600_000);
const REPLICAS = 2;
/** Rows and index are compared this often. */
const ROUND_MS = faultTrials(20_000, 120_000);

describe(`T33: everything at once, seed ${faultSeed}`, () => {
  const random = new SeededRandom(faultSeed);
  const counts = new Map<string, number>();
  let stage: FaultStage;
  const replicas: ServerProcess[] = [];

  beforeAll(async () => {
    stage = await FaultStage.set();
    for (let n = 0; n < REPLICAS; n++) replicas.push(await stage.start('worker'));
  }, 180_000);
  afterAll(() => stage.strike());

  const FAULTS: Readonly<Record<string, () => Promise<void>>> = {
    'kill -9': async () => {
      const n = Math.floor(random.next() * REPLICAS);
      await replicas[n]!.end('SIGKILL');
      replicas[n] = stage.launch('worker');
    },
    'frozen for a while': async () => {
      const victim = random.pick(replicas);
      victim.signal('SIGSTOP');
      await delay(2_500 * random.next());
      victim.signal('SIGCONT');
    },
    'backend terminated': async () => {
      await stage.query(
        `SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
         AND application_name NOT LIKE 'kindred-test%' ORDER BY random() LIMIT 1) AS victim`,
      );
    },
    'index stalls': async () => {
      await stage.indexProxy.setMode({ kind: 'stall' });
      await delay(1_500 * random.next());
      if (random.chance(0.5)) stage.indexProxy.cutAll();
      await stage.indexProxy.setMode({ kind: 'pass' });
    },
    'index refuses': async () => {
      await stage.indexProxy.setMode({ kind: 'refuse' });
      await delay(1_500 * random.next());
      await stage.indexProxy.setMode({ kind: 'pass' });
    },
    'database stalls': async () => {
      await stage.databaseProxy.setMode({ kind: 'stall' });
      await delay(1_000 * random.next());
      stage.databaseProxy.cutAll();
      await stage.databaseProxy.setMode({ kind: 'pass' });
    },
    'replies lost': () => {
      for (const proxy of [stage.indexProxy, stage.databaseProxy]) proxy.inject({ kind: 'drop-reply' }, { times: 2 });
      return Promise.resolve();
    },
    'replies torn': () => {
      for (const proxy of [stage.indexProxy, stage.databaseProxy]) {
        proxy.inject({ kind: 'cut-reply', afterBytes: Math.floor(200 * random.next()) }, { times: 2 });
      }
      return Promise.resolve();
    },
  };

  it(
    `loses, resurrects and keeps stale nothing in ${LASTS_MS / 1_000} s of random faults`,
    async () => {
      const client = await stage.connectClient();
      const workload = new RowWorkload(client.query, random, { keys: 120, namespace: 33 });
      const watch = await stage.watch(workload);
      const endMs = performance.now() + LASTS_MS;
      while (performance.now() < endMs) {
        const roundEndMs = Math.min(endMs, performance.now() + ROUND_MS);
        await during([(signal) => workload.run(signal, { lanes: 3, pauseMs: 15 }), (signal) => watch.run(signal)], async () => {
          while (performance.now() < roundEndMs) {
            const kind = random.pick(Object.keys(FAULTS));
            counts.set(kind, (counts.get(kind) ?? 0) + 1);
            await FAULTS[kind]!();
            await delay(700 * random.next());
          }
          stage.indexProxy.clearFaults();
          stage.databaseProxy.clearFaults();
        });
        await stage.untilInStep(60_000);
        expect(await workload.differences(stage.query)).toEqual([]);
      }
      await client.close();
      for (const [kind, count] of counts) recordTrials({ test: 'T33', what: `  ${kind}`, count });
      recordTrials({
        test: 'T33',
        what: 'random faults',
        count: [...counts.values()].reduce((sum, count) => sum + count, 0),
        seed: faultSeed,
      });
      recordTrials({ test: 'T33', what: '  writes meanwhile', count: workload.writes });
      expect(watch.violations).toEqual([]);
    },
    LASTS_MS * 3 + 300_000,
  );
});
