import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { environmentSchema, parseEnvironment, SECRET_VARIABLES } from './environment.js';

const text = readFileSync(fileURLToPath(new URL('../../../.env.example', import.meta.url)), 'utf8');
const lines = text.split('\n');
const assignments = lines
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const);

describe('.env.example', () => {
  it('names every variable of the schema and the file form of every secret, each once, and nothing else', () => {
    const expected = [...Object.keys(environmentSchema.shape), ...SECRET_VARIABLES.map((name) => `${name}_FILE`)];
    expect(assignments.map(([name]) => name).sort()).toEqual(expected.sort());
  });

  it('states the defaults: it parses to the same as an empty environment', () => {
    expect(parseEnvironment(Object.fromEntries(assignments))).toEqual(parseEnvironment({}));
  });

  it('writes every fixed default out, and leaves a value empty only where there is none', () => {
    const defaults = parseEnvironment({}) as Record<string, string | number | boolean | string[] | undefined>;
    for (const [name, value] of assignments) {
      expect([name, value]).toEqual([name, String(defaults[name] ?? '')]);
    }
  });

  it('explains every variable in a comment above it', () => {
    for (const [name] of assignments) {
      const index = lines.findIndex((line) => line.startsWith(`${name}=`));
      let above = index - 1;
      // Variables of one comment stand together.
      while (/^[A-Z]/.test(lines[above] ?? '')) above -= 1;
      expect([name, (lines[above] ?? '').startsWith('# ') && !(lines[above] ?? '').startsWith('# ---')]).toEqual([name, true]);
    }
  });

  it('says the unit of every duration', () => {
    for (const [name] of assignments.filter(([candidate]) => candidate.endsWith('_MS'))) {
      const index = lines.findIndex((line) => line.startsWith(`${name}=`));
      const comment = lines.slice(Math.max(0, index - 2), index).join(' ');
      expect([name, comment.includes('Milliseconds')]).toEqual([name, true]);
    }
  });
});
