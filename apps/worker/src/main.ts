import 'reflect-metadata';
import { runProgram } from '#observability';
import { startWorker } from './start-worker.js';

await runProgram(startWorker);
