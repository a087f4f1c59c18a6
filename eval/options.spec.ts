import { parseOptions, UsageError } from './options.js';

describe('parseOptions', () => {
  it('evaluates both sets in all modes unless told otherwise, the baseline first', () => {
    const modes = ['vector', 'keyword', 'hybrid'];
    expect(parseOptions([])).toEqual({ sets: ['projects', 'documents'], modes, settings: {}, seed: 1, isJson: false, isHelp: false });
  });

  it('takes the queries of somebody else for projects unless told otherwise', () => {
    expect(parseOptions('--queries q --qrels r'.split(' '))).toMatchObject({ sets: ['projects'], own: { queries: 'q', qrels: 'r' } });
  });

  it('reads everything', () => {
    expect(
      parseOptions(
        '--sets documents --modes hybrid,vector --queries q --qrels r --corpus c --env A=1 --env B_2=x=y --seed 7 --json'.split(' '),
      ),
    ).toEqual({
      sets: ['documents'],
      modes: ['hybrid', 'vector'],
      own: { queries: 'q', qrels: 'r' },
      corpus: 'c',
      settings: { A: '1', B_2: 'x=y' },
      seed: 7,
      isJson: true,
      isHelp: false,
    });
  });

  it.each([
    ['--sets houses', '--sets knows projects, documents, not "houses"'],
    ['--modes vector,vector', '--modes names one of them twice'],
    ['--modes ', '--modes knows'],
    ['--queries q', 'go together'],
    ['--qrels r', 'go together'],
    ['--corpus c', '--corpus needs --queries and --qrels'],
    ['--sets projects,documents --queries q --qrels r', 'belong to one set'],
    ['--url http://localhost:3000 --env A=1', '--url asks a service as it is'],
    ['--url nowhere', '--url must be a URL'],
    ['--env port', '--env needs NAME=VALUE'],
    ['--seed many', '--seed must be a whole number'],
    ['--depth 3', "Unknown option '--depth'"],
  ])('refuses %s', (line, message) => {
    expect(() => parseOptions(line.split(' '))).toThrow(UsageError);
    expect(() => parseOptions(line.split(' '))).toThrow(message);
  });
});
