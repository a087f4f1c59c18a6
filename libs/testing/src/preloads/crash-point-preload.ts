// For `node --import`: arms the crash points of the program that is started, as the environment says. Production code never reads these variables.
//
//   KINDRED_CRASH_AT=relay.after-upsert:3    kill -9 of itself when it comes there the third time
//   KINDRED_CRASH_AT=*:17                    … at the seventeenth point of any name
//   KINDRED_STOP_AT=relay.before-upsert:1    SIGSTOP instead, for a test to let it go on much later
//   KINDRED_STOP_AT=relay.before-upsert:*    … each time
import { armCrashPoints, type CrashPoint } from '#kernel';
import { writeSync } from 'node:fs';

const STDERR = 2;

interface Trap {
  readonly point: string;
  readonly signal: NodeJS.Signals;
  hitsLeft: number;
  readonly isRepeated: boolean;
}

function readTrap(text: string | undefined, signal: NodeJS.Signals): Trap[] {
  if (text === undefined || text === '') return [];
  const [point, hit = '1'] = text.split(':');
  return [{ point: point!, signal, hitsLeft: hit === '*' ? 1 : Number(hit), isRepeated: hit === '*' }];
}

const traps = [...readTrap(process.env['KINDRED_CRASH_AT'], 'SIGKILL'), ...readTrap(process.env['KINDRED_STOP_AT'], 'SIGSTOP')];

function onPoint(point: CrashPoint): void {
  for (const trap of traps) {
    if (trap.point !== '*' && trap.point !== point) continue;
    trap.hitsLeft--;
    if (trap.hitsLeft !== 0) continue;
    if (trap.isRepeated) trap.hitsLeft = 1;
    // Synchronous: what is buffered dies with the process.
    writeSync(STDERR, `crash point ${point}: ${trap.signal}\n`);
    process.kill(process.pid, trap.signal);
    // The signal is for the whole process, and this thread may be the last to hear of it.
    if (trap.signal === 'SIGKILL') for (;;);
  }
}

if (traps.length > 0) armCrashPoints(onPoint);
