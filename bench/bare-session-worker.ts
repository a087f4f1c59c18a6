import { parentPort, workerData } from 'node:worker_threads';
import { feedsOf, openBareSession, type TokenIds } from './bare-session.js';

/** One thread of the ingest floor: runs its share of the texts through a bare session, when told to. */
const { modelFolder, texts } = workerData as { modelFolder: string; texts: TokenIds[] };
const session = await openBareSession(modelFolder, 1);
const feeds = texts.map(feedsOf);
for (const warmUp of feeds.slice(0, 3)) await session.run(warmUp);
parentPort!.on('message', () => {
  void (async () => {
    for (const inputs of feeds) await session.run(inputs);
    parentPort!.postMessage('done');
  })();
});
parentPort!.postMessage('ready');
