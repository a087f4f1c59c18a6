import { CONTEXTS_OF_COMPONENT } from '#kernel';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { LogLevels } from './log-levels.js';

const ROOT = join(__dirname, '..', '..', '..');

describe('LogLevels', () => {
  it('has a level for each component, that of the whole where it has none of its own', () => {
    const levels = new LogLevels({ level: 'warn', levels: { sync: 'debug' } });
    expect(levels.get()).toMatchObject({ sync: 'debug', http: 'warn', framework: 'warn', 'vector-store': 'warn' });
    expect(levels.allows('debug', 'IndexRelay')).toBe(true);
    expect(levels.allows('trace', 'IndexRelay')).toBe(false);
    expect(levels.allows('info', 'Http')).toBe(false);
    expect(levels.allows('error', 'Http')).toBe(true);
    expect(levels.allows('info', 'SomethingOfTheFramework')).toBe(false);
    expect(levels.allows('warn', undefined)).toBe(true);
  });

  it('can be changed, one component or all', () => {
    const levels = new LogLevels({ level: 'info', levels: {} });
    levels.set('vector-store', 'trace');
    expect([levels.allows('trace', 'QdrantVectorStore'), levels.allows('debug', 'IndexRelay')]).toEqual([true, false]);
    levels.set('*', 'silent');
    expect(new Set(Object.values(levels.get()))).toEqual(new Set(['silent']));
    expect(levels.allows('fatal', 'QdrantVectorStore')).toBe(false);
  });

  it('goes back to what is configured', () => {
    const levels = new LogLevels({ level: 'warn', levels: { sync: 'debug' } });
    levels.set('*', 'trace');
    levels.reset();
    expect(levels.get()).toMatchObject({ sync: 'debug', http: 'warn' });
  });

  it('knows every logger of the house, under the part that its file is in', () => {
    const files = globSync('{libs,apps}/*/src/**/*.ts', { cwd: ROOT }).filter((file) => !/spec\.ts$|^libs\/testing/.test(file));
    const used = files.flatMap((file) => {
      const text = readFileSync(join(ROOT, file), 'utf8');
      return [...text.matchAll(/new Logger\((?:'(\w+)'|(\w+)\.name)\)/g)].map(([, name, className]) => ({
        file,
        context: name ?? className!,
      }));
    });
    expect(used.length).toBeGreaterThan(30);
    const misplaced = used.filter(({ file, context }) => {
      const [folder, part] = file.split('/');
      const allowed = folder === 'libs' && part !== 'observability' ? [part!] : ['process', 'http'];
      return !allowed.some((component) => (CONTEXTS_OF_COMPONENT as Record<string, readonly string[]>)[component]?.includes(context));
    });
    // Whoever makes a logger adds its name to libs/kernel/src/log-components.ts, under the name of its lib.
    expect(misplaced.map(({ file, context }) => `${context} in ${basename(file)}`)).toEqual([]);
    const names = new Set(used.map(({ context }) => context));
    expect(
      Object.values<readonly string[]>(CONTEXTS_OF_COMPONENT)
        .flat()
        .filter((context) => !names.has(context)),
    ).toEqual([]);
  });
});
