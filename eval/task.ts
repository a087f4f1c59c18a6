import { join } from 'node:path';
import { parseCorpus, type Corpus } from './corpus.js';
import { InputError } from './input-error.js';
import { loadLabelledSet, type LabelledSet } from './labelled-set.js';
import type { Options } from './options.js';
import type { SetName } from './searcher.js';
import { readBytes } from './text-lines.js';

/** A labelled set and the rows it judges. */
export interface Task {
  readonly set: SetName;
  readonly labelled: LabelledSet;
  /** Absent where the rows are in the service already. */
  readonly corpus?: Corpus;
}

/**
 * Reads the files of one set: those that the options name, or those of the repository.
 * @param root - folder of the repository
 * @throws InputError for a file that cannot be used, and for a judged document that is not among the rows: it could never be found
 */
export function readTask(root: string, set: SetName, { own, corpus: corpusFile, url }: Pick<Options, 'own' | 'corpus' | 'url'>): Task {
  const queriesFile = own?.queries ?? join(root, 'eval', set, 'queries.jsonl');
  const qrelsFile = own?.qrels ?? join(root, 'eval', set, 'qrels.jsonl');
  const labelled = loadLabelledSet(queriesFile, qrelsFile);
  if (url !== undefined) return { set, labelled };
  const rowsFile = corpusFile ?? join(root, 'seed', `${set}.json`);
  const corpus = parseCorpus(set, rowsFile, readBytes(rowsFile));
  const known = new Set(corpus.rows.map(({ external_id }) => external_id));
  for (const { relevant } of labelled.queries) {
    const unknown = [...relevant.keys()].find((document) => !known.has(document));
    if (unknown !== undefined) throw new InputError(qrelsFile, null, `judges ${unknown}, which is not among the rows of ${rowsFile}`);
  }
  return { set, labelled, corpus };
}
