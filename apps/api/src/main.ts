import 'reflect-metadata';
import { runProgram } from '#observability';
import { startApi } from './start-api.js';

await runProgram(startApi);
