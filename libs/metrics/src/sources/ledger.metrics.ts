import { SyncStatistics, type GenerationStatus } from '#sync';
import { Injectable } from '@nestjs/common';
import { MetricsRegistry, type Sample } from '../metrics-registry.js';
import { Readings } from '../readings.js';

const ENTRY_STATES = ['pending', 'synced', 'dead', 'tombstone'] as const;

/** The ledger, which all processes share: every one of them publishes the same numbers. */
@Injectable()
export class LedgerMetrics {
  constructor(metrics: MetricsRegistry, readings: Readings, statistics: SyncStatistics) {
    const ledger = readings.make('ledger', async () => (await statistics.read()).generations);
    const each = (read: (group: GenerationGroup) => readonly Sample[]) => async () => {
      const generations = await ledger.value();
      return generations === null ? null : groupsOf(generations).flatMap((group) => read(group).map((sample) => labelled(group, sample)));
    };
    metrics.gauge(
      'kindred_ledger_entries',
      'Rows by what has become of their last change',
      each(({ generations }) =>
        ENTRY_STATES.map((state) => ({ labels: { state }, value: sumOf(generations, ({ entries }) => entries[state]) })),
      ),
    );
    metrics.gauge(
      'kindred_ledger_oldest_pending_age_seconds',
      'Age of the oldest change that has not reached the index; 0 = none is pending',
      each(({ generations }) => [{ value: Math.max(...generations.map(({ oldestPendingAgeSeconds }) => oldestPendingAgeSeconds ?? 0)) }]),
    );
    metrics.gauge(
      'kindred_ledger_pending_entries',
      'Pending rows by the attempts that were made; the highest is "or more"',
      each(({ generations }) =>
        generations[0]!.attempts.map((_, attempts) => ({
          labels: { attempts: String(attempts) },
          value: sumOf(generations, (generation) => generation.attempts[attempts]!),
        })),
      ),
    );
    metrics.gauge(
      'kindred_ledger_dead_entries',
      'Rows that were given up, by error code',
      each(({ generations }) => {
        const codes = new Set(generations.flatMap(({ deadByCode }) => Object.keys(deadByCode)));
        return [...codes].map((code) => ({ labels: { code }, value: sumOf(generations, ({ deadByCode }) => deadByCode[code] ?? 0) }));
      }),
    );
    metrics.gauge(
      'kindred_ledger_muted_entries',
      'Rows that were given up and that an operator has muted; they are in no other count',
      each(({ generations }) => [{ value: sumOf(generations, ({ muted }) => muted) }]),
    );
    metrics.gauge(
      'kindred_ledger_leased_entries',
      'Rows that some relay is working on',
      each(({ generations }) => [{ value: sumOf(generations, ({ leased }) => leased) }]),
    );
    metrics.gauge(
      'kindred_ledger_entries_in_doubt',
      'Rows of which an unrecorded write may have reached the index',
      each(({ generations }) => [{ value: sumOf(generations, ({ inDoubt }) => inDoubt) }]),
    );
    metrics.gauge(
      'kindred_ledger_due_tombstones',
      'Deleted rows whose last check is due',
      each(({ generations }) => [{ value: sumOf(generations, ({ dueTombstones }) => dueTombstones) }]),
    );
    metrics.gauge(
      'kindred_generations_paused',
      'Generations that no relay may write to, because one side was restored',
      each(({ generations }) => [{ value: sumOf(generations, ({ pausedAt }) => (pausedAt === null ? 0 : 1)) }]),
    );
  }
}

interface GenerationGroup {
  readonly source: string;
  readonly generation: string;
  readonly generations: readonly GenerationStatus[];
}

/** Ids of generations grow for ever; what they are for does not. */
function groupsOf(generations: readonly GenerationStatus[]): GenerationGroup[] {
  const groups = new Map<string, GenerationStatus[]>();
  for (const generation of generations) {
    const key = `${generation.source} ${generation.state}`;
    groups.set(key, [...(groups.get(key) ?? []), generation]);
  }
  return [...groups.values()].map((group) => ({ source: group[0]!.source, generation: group[0]!.state, generations: group }));
}

function labelled({ source, generation }: GenerationGroup, { labels, value }: Sample): Sample {
  return { labels: { source, generation, ...labels }, value };
}

function sumOf(generations: readonly GenerationStatus[], read: (generation: GenerationStatus) => number): number {
  return generations.reduce((sum, generation) => sum + read(generation), 0);
}
