// Ends its own process while two threads are inside the model runtime: "loading", so many milliseconds after they were started, or "running". The exit
// code is what the test looks at.
import { loadConfig } from '../../../dist/libs/config/src/index.js';
import { ConfiguredEmbedderRegistry } from '../../../dist/libs/embeddings/src/index.js';

const moment = process.argv[2];
const delayMs = Number(process.argv[3] ?? 0);
const registry = new ConfiguredEmbedderRegistry(loadConfig({ EMBEDDING_WORKERS: '2' }).embedding);
const embedder = registry.get(await registry.describeConfigured());
const ready = embedder.ready();
if (moment === 'running') await ready;
else ready.catch(() => undefined);

const texts = Array.from({ length: 50 }, (_, i) => `${i} oak stair with a steel handrail `.repeat(40));
embedder.embedDocuments(texts).catch(() => undefined);
setInterval(() => {
  const { documents, workers } = embedder.stats();
  // While it loads nothing can be asked; a moment after the threads were started they are reading the model.
  if (moment === 'running' ? documents.running === 2 : documents.waiting === 50 && workers.ready === 0)
    setTimeout(() => process.exit(0), delayMs);
}, 1);
