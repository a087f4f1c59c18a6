// Starts an embedding thread whose gate is shut, waits for its end, and prints which of the model runtime's libraries the process has loaded.
import { Worker } from 'node:worker_threads';
import { builtThreadFile } from '../../../dist/libs/embeddings/src/bundled-files.js';
import { NativeGate } from '../../../dist/libs/embeddings/src/transformers/native-gate.js';

const gate = new NativeGate();
gate.shut();
const thread = new Worker(builtThreadFile('embedding-worker'), { workerData: { gate: gate.shared, workerNumber: 0 } });
thread.once('exit', () => {
  console.log(JSON.stringify(process.report.getReport().sharedObjects.filter((path) => path.includes('onnxruntime'))));
});
