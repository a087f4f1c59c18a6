import 'reflect-metadata';
import { DatabaseLifecycle, RelayUnitOfWork } from '#database';
import { SyncReadiness } from '#sync';
import { VectorStore } from '#vector-store';
import { NestFactory } from '@nestjs/core';
import { RestoredIndexModule } from '../../backup/restored-index.module.js';
import type { ChildMessage, ParentMessage } from './fault-messages.js';
import { checkIndex } from './index-check.js';
import { FAULTS_PREFIX, FaultDrillError, loadScratchConfig } from './scratch-place.js';
import { SeededRandom } from './seeded-random.js';
import { StoreFaults } from './store-faults.js';

// The engine of production in a process of its own, which the drill kills and freezes.

const send = (message: ChildMessage): void => void process.send?.(message);

// Before anything is opened.
const config = loadScratchConfig();
const app = await NestFactory.createApplicationContext(RestoredIndexModule.forRoot(config), { logger: false, abortOnError: false });
// Without its parent nobody would ever end it.
process.once('disconnect', () => process.exit(1));

await app.get(DatabaseLifecycle).ready();
const { rows } = await app.get(RelayUnitOfWork).query<{ name: string }>('SELECT current_database() AS name');
if (!rows[0]!.name.startsWith(FAULTS_PREFIX)) throw new FaultDrillError('This is no scratch database');
const faults = new StoreFaults(new SeededRandom(Number(process.argv[2] ?? 0)), (fault) => send({ kind: 'fault', fault }));
faults.install(app.get(VectorStore));

async function obey(message: ParentMessage): Promise<void> {
  faults.isOn = false;
  if (message.kind === 'check') {
    send({ kind: 'report', report: await checkIndex(app) });
    return;
  }
  await app.close();
  process.exit(0);
}

process.on('message', (message: ParentMessage) => {
  obey(message).catch((error: unknown) => send({ kind: 'failed', message: error instanceof Error ? error.message : String(error) }));
});
await app.get(SyncReadiness).whenReady();
send({ kind: 'ready' });
