import { SeededRandom } from '#testing';
import { pino } from 'pino';
import { LOG_OPTIONS } from './log-options.js';

const SEED = 20261126;
/** What would end a line, begin another one, close the object, or steer the terminal of who reads it. */
const BREAKERS = [
  '\n',
  '\r\n',
  '\r',
  '\u2028',
  '\u2029',
  '\u0085',
  '\0',
  '\u001b[2J',
  '\u001b]0;title\u0007',
  '\u009b31m',
  '"',
  '"}',
  '"}\n{"level":"info","msg":"forged"}',
  '\\',
  '\\"',
  '\\n',
  ',"level":"fatal"',
  '}{',
  '\ud800',
  '\u202e',
  '%s%o%j',
  '__proto__',
];

describe('the log', () => {
  it(`is one line of JSON for each event, whatever it holds: 200 values in four places (seed ${SEED})`, () => {
    const lines: string[] = [];
    const logger = pino(LOG_OPTIONS, { write: (line: string) => void lines.push(line) });
    const random = new SeededRandom(SEED);
    const values = [
      ...BREAKERS,
      ...Array.from({ length: 200 - BREAKERS.length }, () => Array.from({ length: 6 }, () => random.pick([...BREAKERS, 'oak'])).join('')),
    ];
    for (const value of values) {
      lines.length = 0;
      logger.warn({ msg: value, value, [value]: 1, err: new Error(value), nested: { list: [value] } });
      logger.info(value);
      expect(lines).toHaveLength(2);
      for (const line of lines) {
        // The end of the line, and nothing before it that a reader of lines or a terminal would take for one.
        expect([value, /[\0-\u001f]/.exec(line)?.index]).toEqual([value, line.length - 1]);
        expect(line.endsWith('\n')).toBe(true);
        expect(['warn', 'info']).toContain((JSON.parse(line) as { level: string }).level);
      }
      const [object, text] = lines.map((line) => JSON.parse(line) as { msg: string; value?: string });
      expect([object!.msg, object!.value, text!.msg].map((read) => read?.toWellFormed())).toEqual(Array(3).fill(value.toWellFormed()));
    }
  });

  it('replaces what is called like a secret', () => {
    const lines: string[] = [];
    pino(LOG_OPTIONS, { write: (line: string) => void lines.push(line) }).info({
      msg: 'x',
      password: 'canary-1',
      apiKey: 'canary-2',
      headers: { authorization: 'canary-3', 'x-api-key': 'canary-4', 'api-key': 'canary-5' },
    });
    expect(lines.join('')).not.toContain('canary');
  });
});
