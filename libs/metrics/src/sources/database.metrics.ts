import { DatabaseLifecycle, UnitOfWork } from '#database';
import { HealthMonitor } from '#health';
import { readTableFacts } from '#sync';
import { Injectable } from '@nestjs/common';
import { MetricsRegistry } from '../metrics-registry.js';
import { Readings } from '../readings.js';

/** PostgreSQL as this process sees it. */
@Injectable()
export class DatabaseMetrics {
  constructor(metrics: MetricsRegistry, readings: Readings, lifecycle: DatabaseLifecycle, unitOfWork: UnitOfWork, health: HealthMonitor) {
    metrics.gauge('kindred_database_up', 'Whether PostgreSQL answered the last look; absent before the first one', () => {
      const { state } = health.snapshot().database;
      return state === 'unknown' ? null : state === 'down' ? 0 : 1;
    });
    metrics.gauge('kindred_database_pool_connections', 'Connections of each pool: open, unused, and the most that there may be', () => {
      const pools = lifecycle.poolCounts();
      if (pools === null) return null;
      return Object.entries(pools).flatMap(([pool, { total, idle, maximum }]) =>
        Object.entries({ open: total, idle, maximum }).map(([state, value]) => ({ labels: { pool, state }, value })),
      );
    });
    metrics.gauge('kindred_database_pool_waiting', 'Callers that wait for a connection', () => {
      const pools = lifecycle.poolCounts();
      return pools === null ? null : Object.entries(pools).map(([pool, { waiting }]) => ({ labels: { pool }, value: waiting }));
    });
    const facts = readings.make('tables', () => readTableFacts(unitOfWork));
    const tables = (column: 'bytes' | 'dead_rows') => async () =>
      (await facts.value())?.tables.map((table) => ({ labels: { table: table.table }, value: table[column] })) ?? null;
    metrics.gauge('kindred_table_bytes', "What the engine's tables take, with their indexes", tables('bytes'));
    metrics.gauge('kindred_table_dead_rows', 'Rows that vacuum has still to remove, estimated by PostgreSQL', tables('dead_rows'));
    metrics.gauge(
      'kindred_database_oldest_transaction_seconds',
      'Age of the oldest open transaction; a long one keeps dead rows alive',
      async () => (await facts.value())?.oldest_transaction_seconds ?? null,
    );
  }
}
