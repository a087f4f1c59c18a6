import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../dist/eval/main.js', import.meta.url));

describe('npm run eval', () => {
  const folder = mkdtempSync(join(tmpdir(), 'kindred-eval-'));
  const written = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  afterAll(() => rmSync(folder, { recursive: true }));

  const queries = written('queries.tsv', 'q1\tstairs made of oak\nq2\troof covered with slate\nq3\tnobody judged this\n');
  const corpus = written(
    'corpus.jsonl',
    '{"_id":"stairs","title":"","text":"An oak staircase with turned balusters"}\n{"_id":"roof","title":"Slate roof","text":"New slates on the old roof"}\n',
  );
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [MAIN, '--queries', queries, '--corpus', corpus, ...args], { encoding: 'utf8' });

  it("starts the service, loads somebody else's rows and prints the figures of their set", () => {
    const qrels = written('qrels.tsv', 'query-id\tcorpus-id\tscore\nq1\tstairs\t1\nq2\troof\t2\n');
    const { status, stdout, stderr } = run('--qrels', qrels);
    expect([status, stderr]).toEqual([0, expect.stringContaining('projects: 2 rows')]);
    expect(stdout).toContain('projects: 2 queries, model all-MiniLM-L6-v2:q8; 1 without a relevant document left out');
    expect(stdout).toMatch(/^all +2 +vector +1\.000 +1\.000 +1\.000 +1\.000 +1\.000 +1\.000$/m);
  });

  it('names the file and the line of bad input, and starts nothing', () => {
    const qrels = written('bad.trec', 'q1 0 stairs 1\nq1 0 roof high\n');
    const { status, stdout, stderr } = run('--qrels', qrels);
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: '',
      stderr: `${qrels}:2: needs a whole number as relevance, not "high"\n`,
    });
  });
});
