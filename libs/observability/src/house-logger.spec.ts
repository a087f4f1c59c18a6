import type { Logger } from 'nestjs-pino';
import { HouseLogger } from './house-logger.js';
import { LogLevels } from './log-levels.js';

describe('HouseLogger', () => {
  let lines: unknown[][];
  let pino: Logger;

  beforeEach(() => {
    lines = [];
    const record =
      (level: string) =>
      (...parameters: unknown[]) =>
        void lines.push([level, ...parameters]);
    pino = {
      log: record('info'),
      debug: record('debug'),
      warn: record('warn'),
      error: record('error'),
      verbose: record('trace'),
      fatal: record('fatal'),
    } as unknown as Logger;
  });

  it('keeps the wiring of the framework out of level info, and nothing else', () => {
    const logger = new HouseLogger(pino, new LogLevels({ level: 'debug', levels: {} }));
    logger.log('Mapped route', 'RouterExplorer');
    logger.log({ msg: 'ready' }, 'Kindred');
    logger.error('failed', 'RouterExplorer');
    expect(lines).toEqual([
      ['debug', 'Mapped route', 'RouterExplorer'],
      ['info', { msg: 'ready' }, 'Kindred'],
      ['error', 'failed', 'RouterExplorer'],
    ]);
  });

  it('writes of each component what its level lets through, also after a change', () => {
    const levels = new LogLevels({ level: 'warn', levels: { sync: 'trace' } });
    const logger = new HouseLogger(pino, levels);
    const speak = (): void => {
      logger.verbose('a claim', 'IndexRelay');
      logger.log('a start', 'Database');
      logger.warn('slow', 'Database');
      logger.fatal('the end', 'stack', 'Database');
    };
    speak();
    expect(lines.splice(0)).toEqual([
      ['trace', 'a claim', 'IndexRelay'],
      ['warn', 'slow', 'Database'],
      ['fatal', 'the end', 'stack', 'Database'],
    ]);
    levels.set('sync', 'info');
    levels.set('database', 'info');
    speak();
    expect(lines.map(([level]) => level)).toEqual(['info', 'warn', 'fatal']);
  });
});
