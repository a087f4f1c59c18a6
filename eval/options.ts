import { parseArgs } from 'node:util';
import { MODES, SET_NAMES, type Mode, type SetName } from './searcher.js';

/** The evaluation was called in a way it does not understand. */
export class UsageError extends Error {}

export interface Options {
  readonly sets: readonly SetName[];
  /** The first one is what the others are compared with. */
  readonly modes: readonly Mode[];
  /** Somebody else's labelled set, in place of the one in `eval/`. */
  readonly own?: { readonly queries: string; readonly qrels: string };
  /** Rows to load in place of those in `seed/`. */
  readonly corpus?: string;
  /** A service that runs and has the rows, in place of one that is started for the evaluation. */
  readonly url?: string;
  /** Environment variables of the service that is started. */
  readonly settings: Readonly<Record<string, string>>;
  readonly seed: number;
  readonly isJson: boolean;
  readonly isHelp: boolean;
}

export const USAGE = `npm run eval -- [options]

  --sets LIST       which sets, comma separated: projects, documents (default: both; with --queries: projects)
  --modes LIST      which modes, comma separated, the baseline first: vector, keyword, hybrid (default: all)
  --queries FILE    somebody else's queries: JSON Lines with id (or _id) and text, or two columns with a tab between them
  --qrels FILE      the judgements to them: JSON Lines, the TSV of BEIR, or the four columns of TREC; documents are external ids
  --corpus FILE     other rows than those of seed/: JSON Lines of rows as the API takes them, or the corpus of a BEIR set
  --url URL         ask a service that runs, whose rows are there already, instead of starting one and loading the rows
  --env NAME=VALUE  a variable for the service that is started; may be given several times
  --seed NUMBER     of the random draws behind the intervals (default: 1)
  --json            figures for a program
`;

/** Reads the command line. @throws UsageError */
export function parseOptions(args: readonly string[]): Options {
  const values = valuesOf(args);
  const { queries, qrels, corpus, url } = values;
  const sets = listOf('--sets', values.sets ?? (queries === undefined ? SET_NAMES.join(',') : 'projects'), SET_NAMES);
  if ((queries === undefined) !== (qrels === undefined)) throw new UsageError('--queries and --qrels go together');
  if (corpus !== undefined && queries === undefined) throw new UsageError('--corpus needs --queries and --qrels that judge its rows');
  if (queries !== undefined && sets.length > 1) throw new UsageError('--queries belong to one set: name it with --sets');
  if (url !== undefined && (corpus !== undefined || values.env !== undefined))
    throw new UsageError('--url asks a service as it is: --corpus and --env are for one that is started');
  if (url !== undefined && !URL.canParse(url)) throw new UsageError('--url must be a URL');
  const seed = Number(values.seed);
  if (!Number.isInteger(seed)) throw new UsageError('--seed must be a whole number');
  return {
    sets,
    modes: listOf('--modes', values.modes, MODES),
    ...(queries !== undefined && qrels !== undefined && { own: { queries, qrels } }),
    ...(corpus !== undefined && { corpus }),
    ...(url !== undefined && { url }),
    settings: Object.fromEntries((values.env ?? []).map(settingOf)),
    seed,
    isJson: values.json,
    isHelp: values.help,
  };
}

function valuesOf(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        sets: { type: 'string' },
        modes: { type: 'string', default: MODES.join(',') },
        queries: { type: 'string' },
        qrels: { type: 'string' },
        corpus: { type: 'string' },
        url: { type: 'string' },
        env: { type: 'string', multiple: true },
        seed: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values;
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function listOf<Name extends string>(option: string, text: string, known: readonly Name[]): Name[] {
  const names = text.split(',').map((name) => name.trim());
  const unknown = names.find((name) => !known.includes(name as Name));
  if (unknown !== undefined) throw new UsageError(`${option} knows ${known.join(', ')}, not "${unknown}"`);
  if (new Set(names).size !== names.length) throw new UsageError(`${option} names one of them twice`);
  return names as Name[];
}

function settingOf(text: string): [string, string] {
  const [, name, value] = /^([A-Z][A-Z0-9_]*)=(.*)$/su.exec(text) ?? [];
  if (name === undefined || value === undefined) throw new UsageError(`--env needs NAME=VALUE, not "${text}"`);
  return [name, value];
}
