import { SeededRandom } from '#testing';
import fc from 'fast-check';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { createContext, Script } from 'node:vm';
import ts from 'typescript';
import { RouteTable } from '../src/http/route-table.js';

const ROOT = join(__dirname, '..', '..', '..');
const SEED = 20261126;
const STRINGS = 200;
const LENGTHS = [20, 50, 100, 500, 1_000, 5_000, 20_000, 50_000];
const ENDS = ['', '\0', '!', 'x', '\n', '"', ']'];
/** What patterns are about that the generator of matching texts does not read. */
const ALPHABET = [...'aZ09_-./:;,"\'[](){}<>=+*# \t\n\r\\&!', 'ä', '\u0301', '🪵', '\u200b'];
/** For all strings together. One that backtracks without end takes minutes; all that are linear take some hundredths of a second. */
const PATTERN_TIMEOUT_MS = 6_000;
/** Built from what only the running program knows; attacked through the class below. */
const BUILT_AT_RUN_TIME = ['apps/api/src/http/route-table.ts'];

interface OwnPattern {
  readonly source: string;
  readonly flags: string;
}

/** Sources that ship, as syntax trees by path. */
function sourceTrees(): Map<string, ts.SourceFile> {
  const files = ['apps', 'libs'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !/spec\.ts$/.test(entry.name))
      .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
      .filter((file) => file.split('/')[2] === 'src'),
  );
  return new Map(files.map((file) => [file, ts.createSourceFile(file, readFileSync(join(ROOT, file), 'utf8'), ts.ScriptTarget.ESNext)]));
}

/** Every regular expression of the house by the file it stands in; and the files with one that cannot be told from the text. */
function ownPatterns(): { patterns: Map<string, OwnPattern[]>; unknown: string[] } {
  const trees = sourceTrees();
  const constants = new Map<string, ts.Expression>();
  const visit = (node: ts.Node, act: (node: ts.Node) => void): void => {
    act(node);
    ts.forEachChild(node, (child) => visit(child, act));
  };
  for (const tree of trees.values())
    visit(tree, (node) => {
      if (ts.isVariableDeclaration(node) && ts.isIdentifier(node.name) && node.initializer !== undefined)
        constants.set(node.name.text, node.initializer);
    });
  const patterns = new Map<string, OwnPattern[]>();
  const unknown: string[] = [];
  for (const [file, tree] of trees)
    visit(tree, (node) => {
      if (ts.isRegularExpressionLiteral(node)) patterns.set(file, [...(patterns.get(file) ?? []), ofLiteral(node)]);
      if (!ts.isNewExpression(node) || !ts.isIdentifier(node.expression) || node.expression.text !== 'RegExp') return;
      const [source, flags] = (node.arguments ?? []).map((argument) => textOf(argument, constants));
      if (typeof source !== 'string') unknown.push(file);
      else patterns.set(file, [...(patterns.get(file) ?? []), { source, flags: flags ?? '' }]);
    });
  return { patterns, unknown };
}

function ofLiteral({ text }: ts.RegularExpressionLiteral): OwnPattern {
  const end = text.lastIndexOf('/');
  return { source: text.slice(1, end), flags: text.slice(end + 1) };
}

/** The text that an expression of constants has; `null` = it is not one of constants alone. */
function textOf(node: ts.Expression, constants: ReadonlyMap<string, ts.Expression>): string | null {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isIdentifier(node)) return constants.has(node.text) ? textOf(constants.get(node.text)!, constants) : null;
  if (ts.isPropertyAccessExpression(node) && node.name.text === 'source' && ts.isIdentifier(node.expression)) {
    const literal = constants.get(node.expression.text);
    return literal !== undefined && ts.isRegularExpressionLiteral(literal) ? ofLiteral(literal).source : null;
  }
  if (!ts.isTemplateExpression(node)) return null;
  const parts = node.templateSpans.map(({ expression, literal }) => {
    const text = textOf(expression, constants);
    return text === null ? null : text + literal.text;
  });
  return parts.includes(null) ? null : node.head.text + parts.join('');
}

/** Texts that match, each with a part of it repeated up to 50 kB and something behind that does not belong there; and the same of characters at random. */
function attacksOn({ source, flags }: OwnPattern, random: SeededRandom): string[] {
  const matching = matchingTexts(source, flags);
  return Array.from({ length: STRINGS }, (_, n) => {
    const base = matching.length > 0 && n % 3 > 0 ? random.pick(matching) : ALPHABET.map(() => random.pick(ALPHABET)).join('');
    const start = Math.floor(random.next() * base.length);
    const part = base.slice(start, start + 1 + Math.floor(random.next() * 4)) || random.pick(ALPHABET);
    const repeated = part.repeat(Math.ceil(LENGTHS[n % LENGTHS.length]! / part.length));
    return `${base.slice(0, start)}${repeated}${n % 2 === 0 ? '' : base.slice(start)}${random.pick(ENDS)}`.slice(0, 50_000);
  });
}

/** Texts that the pattern matches; none for a pattern that the generator does not read, or only with all of Unicode in its hands. */
function matchingTexts(source: string, flags: string): string[] {
  if (/\\p/i.test(source)) return [];
  try {
    return fc.sample(fc.stringMatching(new RegExp(source, flags.replace(/[gy]/g, '')), { maxLength: 200 }), { seed: SEED, numRuns: 30 });
  } catch {
    return [];
  }
}

describe('regular expressions', () => {
  const { patterns, unknown } = ownPatterns();
  const all = [...patterns.values()].flat();

  it('are constants, every one: none is built from what a caller sends', () => {
    expect(unknown).toEqual(BUILT_AT_RUN_TIME);
    expect(all.length).toBeGreaterThan(120);
  });

  it(`are through with ${STRINGS} strings of up to 50 kB each, whatever is in them (seed ${SEED})`, () => {
    const random = new SeededRandom(SEED);
    const attack = new Script('for (const string of strings) string.replace(new RegExp(source, flags), "")');
    const distinct = new Map(all.map((pattern) => [`/${pattern.source}/${pattern.flags}`, pattern]));
    const slow: string[] = [];
    let generated = 0;
    for (const [name, pattern] of distinct) {
      const strings = attacksOn(pattern, random);
      generated += strings.length;
      try {
        attack.runInContext(createContext({ ...pattern, strings }), { timeout: PATTERN_TIMEOUT_MS });
      } catch {
        slow.push(name);
      }
    }
    expect(slow).toEqual([]);
    expect(generated).toBe(distinct.size * STRINGS);
  });

  it('of routes are through with paths of up to 50 kB', () => {
    const routes = new RouteTable();
    for (const url of ['/api/v1/projects', '/api/v1/projects/:id', '/api/v1/projects/by-external-id/:external_id', '/docs/*', '/'])
      routes.add('GET', url);
    const paths = ['/', '/a', '/docs/', '/api/v1/projects/', '%2f', '//', '/.', '\n'].flatMap((part) =>
      LENGTHS.map((length) => `/api/v1/projects/${part.repeat(Math.ceil(length / part.length))}\n`),
    );
    const context = createContext({ routes, paths });
    expect(() =>
      new Script('for (const path of paths) routes.allowedMethods(path)').runInContext(context, { timeout: 6_000 }),
    ).not.toThrow();
  });
});
