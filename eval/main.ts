import { fileURLToPath } from 'node:url';
import { ServiceUnderTest } from '../bench/service-under-test.js';
import { randomOf } from '../bench/texts.js';
import { RunningService, type ApiClient } from './api-client.js';
import { loadCorpus, waitUntilIndexed } from './corpus-loader.js';
import { evaluate, type Evaluated } from './evaluation.js';
import { HttpSearcher } from './http-searcher.js';
import { InputError } from './input-error.js';
import { parseOptions, USAGE, UsageError, type Options } from './options.js';
import { renderJson, renderReport } from './report.js';
import { readTask, type Task } from './task.js';

/** From dist/eval. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const say = (text: string): void => void process.stderr.write(`${text}\n`);

async function run({ set, labelled, corpus }: Task, client: ApiClient, options: Options): Promise<Evaluated> {
  if (corpus !== undefined) {
    say(`${set}: ${corpus.rows.length} rows ...`);
    await loadCorpus(client, set, corpus);
  }
  const model = await waitUntilIndexed(client, set);
  say(`${set}: ${labelled.queries.length} queries, ${options.modes.join(', ')} ...`);
  return evaluate(set, model, labelled, options.modes, new HttpSearcher(client));
}

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options.isHelp) return void process.stdout.write(USAGE);
  // Every file is read before anything is started: a bad line costs no waiting.
  const tasks = options.sets.map((set) => readTask(ROOT, set, options));
  const started = options.url === undefined ? await ServiceUnderTest.start(options.settings) : null;
  const client = started ?? new RunningService(options.url!);
  const evaluated: Evaluated[] = [];
  try {
    for (const task of tasks) evaluated.push(await run(task, client, options));
  } finally {
    await started?.stop();
  }
  const random = (): (() => number) => randomOf(options.seed);
  process.stdout.write(options.isJson ? renderJson(evaluated, random) : renderReport(evaluated, random));
}

try {
  await main();
} catch (error) {
  // A defect of this program shows where it is; everything else is a message for whoever called it.
  if (!(error instanceof Error) || error instanceof TypeError || error instanceof RangeError) throw error;
  say(error.message);
  if (error instanceof UsageError) say(`\n${USAGE}`);
  process.exitCode = error instanceof UsageError || error instanceof InputError ? 2 : 1;
}
