import type { Logger } from 'nestjs-pino';
import { HouseLogger } from './house-logger.js';

describe('HouseLogger', () => {
  it('keeps the wiring of the framework out of level info, and nothing else', () => {
    const lines: unknown[][] = [];
    const record =
      (level: string) =>
      (...parameters: unknown[]) =>
        void lines.push([level, ...parameters]);
    const pino = {
      log: record('info'),
      debug: record('debug'),
      warn: record('warn'),
      error: record('error'),
      verbose: record('trace'),
      fatal: record('fatal'),
    };
    const logger = new HouseLogger(pino as unknown as Logger);
    logger.log('Mapped route', 'RouterExplorer');
    logger.log({ msg: 'ready' }, 'Kindred');
    logger.error('failed', 'RouterExplorer');
    expect(lines).toEqual([
      ['debug', 'Mapped route', 'RouterExplorer'],
      ['info', { msg: 'ready' }, 'Kindred'],
      ['error', 'failed', 'RouterExplorer'],
    ]);
  });
});
