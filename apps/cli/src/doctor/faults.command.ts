import { loadConfig } from '#config';
import { renderTable } from '#kernel';
import { Option, SubCommand } from 'nest-commander';
import { DirectCommand, type DirectOptions } from '../backup/direct-command.js';
import { withKindredDatabase } from '../backup/kindred-database.js';
import { secondsText } from '../backup/size-text.js';
import { wholeNumber } from '../service/service-command.js';
import { INVARIANTS, NOT_TRIED, type FaultReport, type Invariant } from './faults/fault-report.js';

interface FaultsOptions extends DirectOptions {
  readonly seed?: number;
  readonly rounds?: number;
  readonly minutes?: number;
}

const ROUNDS_DEFAULT = 3;
const MS_PER_MINUTE = 60_000;
const SEED_SPAN = 2 ** 31;

@SubCommand({
  name: 'faults',
  description: 'Break the engine in a database and collections made for it, and say which promises held; exit code 1 when one did not',
})
export class FaultsCommand extends DirectCommand {
  @Option({ flags: '--seed <number>', description: 'draw the same faults again; default: another each time' })
  parseSeed(text: string): number {
    return wholeNumber('--seed', text, 0);
  }

  @Option({ flags: '--rounds <number>', description: `so many rounds of faults, rest and proof; default ${ROUNDS_DEFAULT}` })
  parseRounds(text: string): number {
    return wholeNumber('--rounds', text);
  }

  @Option({ flags: '--minutes <number>', description: 'begin rounds for so long' })
  parseMinutes(text: string): number {
    return wholeNumber('--minutes', text);
  }

  async run(_arguments: string[], options: FaultsOptions): Promise<void> {
    const seed = options.seed ?? Math.floor(Math.random() * SEED_SPAN);
    const { minutes } = options;
    const rounds = options.rounds ?? (minutes === undefined ? ROUNDS_DEFAULT : null);
    const durationMs = minutes === undefined ? null : minutes * MS_PER_MINUTE;
    const report = await this.directly(async (show) => {
      const config = loadConfig();
      const [{ FaultDrill }, { withScratchPlace }] = await Promise.all([
        import('./faults/fault-drill.js'),
        import('./faults/scratch-place.js'),
      ]);
      return withKindredDatabase(config, (url) =>
        withScratchPlace(url, (place) => new FaultDrill(place, config, { seed, rounds, durationMs, onStep: show }).run()),
      );
    });
    this.print(options, jsonOf(report), () => textOf(report));
    if (!report.hasHeld) process.exitCode = 1;
  }
}

function jsonOf({ seed, store, rounds, writes, elapsedMs, faults, invariants, hasHeld }: FaultReport) {
  return { has_held: hasHeld, seed, store, rounds, writes, elapsed_ms: Math.round(elapsedMs), faults, invariants, not_tried: NOT_TRIED };
}

function textOf({ seed, store, rounds, writes, elapsedMs, faults, invariants, hasHeld }: FaultReport): string {
  const names = Object.keys(INVARIANTS) as Invariant[];
  return [
    `${rounds} rounds, ${writes} writes, seed ${seed}, ${store} store, ${secondsText(elapsedMs)}`,
    `Faults: ${Object.entries(faults)
      .map(([name, count]) => `${name} ${count}`)
      .join(', ')}`,
    renderTable(
      ['invariant', 'looked at', 'broken', ''],
      names.map((name) => [name, invariants[name].checked, invariants[name].violations, INVARIANTS[name]]),
    ),
    ...names.flatMap((name) => invariants[name].examples.map((example) => `  ${name}: ${example}`)),
    `Not tried: ${NOT_TRIED.join('; ')}.`,
    hasHeld
      ? 'Everything held. Your own database and index were not touched.'
      : `NOT everything held. Run it again with --seed ${seed} and report it.`,
  ].join('\n');
}
