import type { INestApplicationContext } from '@nestjs/common';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CommandFactory } from 'nest-commander';
import { CliModule } from './cli.module.js';
import { completionScript, SHELLS } from './completion/completion-script.js';
import { flattenTree, lastWord, type CommandNode } from './program/command-tree.js';
import { EXAMPLES, helpTail } from './program/examples.js';
import { EXIT_CODES } from './program/exit-codes.js';

/** What a file, and all that it imports at once, takes from libs; types and what is loaded when it is needed do not count. */
function libsLoadedBy(path: string, seen = new Map<string, readonly string[]>()): string[] {
  if (!seen.has(path)) {
    const imports = readFileSync(path, 'utf8').matchAll(/^(?:import|export)(?! type)[^;']* from '([^']+)'/gm);
    const names = [...imports].map(([, name]) => name!);
    seen.set(
      path,
      names.filter((name) => name.startsWith('#')),
    );
    for (const name of names) if (name.startsWith('.')) libsLoadedBy(join(dirname(path), name.replace(/\.js$/, '.ts')), seen);
  }
  return [...new Set([...seen.values()].flat())].sort();
}

/** Options that are right without `--json`: they print what is no result, or run until they are stopped. */
const WITHOUT_JSON = new Set(['completion', 'demo', 'export']);

describe('the command line', () => {
  let app: INestApplicationContext;
  let commands: CommandNode[];
  let root: CommandNode;

  beforeAll(async () => {
    app = await CommandFactory.createWithoutRunning(CliModule, { logger: false });
    root = app.get(CliModule).tree();
    commands = flattenTree(root);
  });
  afterAll(() => app.close());

  /** Options of the command, checked word by word; what stands behind them may be anything. */
  function defectOf(line: string): string | null {
    const call = line
      .replace(/^[A-Z_]+=\S+ /, '')
      .split(' | ')
      .at(-1)!
      .split(' > ')[0]!;
    const [, ...words] = call.match(/"[^"]*"|\S+/g) ?? [];
    let node = root;
    for (let index = 0; index < words.length; index++) {
      const word = words[index]!;
      const child = node.commands.find((one) => lastWord(one) === word);
      if (child !== undefined) node = child;
      else if (word.startsWith('--')) {
        const option = node.options.find(({ flag }) => flag === word);
        if (option === undefined) return `${node.path} has no ${word}`;
        if (option.takesValue) index++;
      } else if (!node.takesArguments) return `${node.path} takes no ${word}`;
    }
    return null;
  }

  it('has examples for every command, and only ones that it understands', () => {
    expect(Object.keys(EXAMPLES).sort()).toEqual(commands.map(({ path }) => path).sort());
    const defects = Object.values(EXAMPLES).flatMap((lines) => lines.flatMap((line) => defectOf(line) ?? []));
    expect(defects).toEqual([]);
    expect(defectOf('kindred status --nonsense')).toBe('status has no --nonsense');
    expect(defectOf('kindred status now')).toBe('status takes no now');
  });

  it('loads the large libs when a command needs them: loading is most of what a command does', () => {
    expect(libsLoadedBy(join(__dirname, 'main.ts'))).toEqual(['#config', '#kernel']);
    expect(libsLoadedBy(join(__dirname, 'doctor', 'check-stores.ts'))).toContain('#vector-store');
  });

  it('prints JSON everywhere', () => {
    const leaves = commands.filter((node) => node.commands.length === 0);
    const without = leaves.filter(({ options }) => !options.some(({ flag }) => flag === '--json')).map(({ path }) => path);
    expect(without.filter((path) => !WITHOUT_JSON.has(path))).toEqual([]);
  });

  it('takes a key wherever it takes the address of a service', () => {
    const flags = commands.map(({ path, options }) => [path, ...options.map(({ flag }) => flag)]);
    expect(flags.filter((all) => all.includes('--url') !== all.includes('--key'))).toEqual([]);
  });

  it.each(SHELLS)('completes every command and option: %s', (shell) => {
    const script = completionScript(shell, root);
    for (const { path, options, commands: children } of commands) {
      expect(script).toContain(`"${path}"`);
      for (const child of children) expect(script).toContain(lastWord(child));
      for (const { flag } of options) expect(script).toContain(shell === 'fish' ? `-l ${flag.slice(2)}` : flag);
    }
  });

  it('completes in bash what the command line knows at that place', () => {
    const script = completionScript('bash', root);
    const complete = (...words: string[]): string[] => {
      const ask = `COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _kindred; echo "\${COMPREPLY[@]}"`;
      return execFileSync('bash', ['-c', `${script}\n${ask}`], { encoding: 'utf8' })
        .trim()
        .split(' ');
    };
    expect(complete('kindred', 'stat')).toEqual(['status']);
    for (const { path, options, commands: children } of commands) {
      const expected = [...children.map(lastWord), ...options.map(({ flag }) => flag)].sort();
      expect([path, complete('kindred', ...path.split(' ').filter((word) => word !== ''), '').sort()]).toEqual([path, expected]);
    }
    expect(complete('kindred', 'certificates', 'show', '--out', '')).toEqual(['']);
    expect(complete('kindred', 'import', '--resume', 'pgvector', '--del')).toEqual(['--delimiter']);
    expect(complete('kindred', 'import', 'pgvector', '--resume', '--dry')).toEqual(['--dry-run']);
  });

  it('says in --help what docs/cli.md says of exit codes', () => {
    const page = readFileSync('docs/cli.md', 'utf8').replaceAll(/ +/g, ' ');
    for (const [code, meaning] of EXIT_CODES) {
      expect(helpTail('')).toContain(`${code}  ${meaning}`);
      expect(page).toContain(`| ${code} | ${meaning} |`);
    }
  });

  it('names every command in docs/cli.md', () => {
    const page = readFileSync('docs/cli.md', 'utf8');
    const leaves = commands.filter((node) => node.commands.length === 0).map(({ path }) => path);
    expect(leaves.filter((path) => !page.includes(`\`kindred ${path}`))).toEqual([]);
  });
});
