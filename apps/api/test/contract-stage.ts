import { DatabaseLifecycle, UnitOfWork } from '#database';
import { HealthHttpModule } from '#health';
import { MetricsHttpModule } from '#metrics';
import { IndexRelay } from '#sync';
import { TcpProxy, waitFor } from '#testing';
import { StoreCalls } from '#vector-store';
import { Global, Module } from '@nestjs/common';
import { buildOpenApiDocument } from '../src/http/openapi-document.js';
import { Contract } from './fuzz/contract.js';
import { KeyedStage } from './keyed-stage.js';

/** Of the pool of requests. */
const CONNECTIONS = 10;
const RELAY = {
  isRunning: false,
  counts: { synced: 0, skipped: 0, deleted: 0, purged: 0, superseded: 0, dead: 0 },
  lag: { boundsMs: [], counts: [0], sumMs: 0 },
  store: { phase: 'open', pausedForMs: 0, batchLimit: 64, upsertsPausedForMs: 0 },
  embedders: [],
  inFlight: 0,
};

/** What probes and metrics look at beside the rest. */
@Global()
@Module({
  providers: [
    {
      provide: DatabaseLifecycle,
      useFactory: (unitOfWork: UnitOfWork) => ({ ping: () => unitOfWork.query('SELECT 1'), poolCounts: () => ({}) }),
      inject: [UnitOfWork],
    },
    { provide: IndexRelay, useValue: { status: () => RELAY } },
    StoreCalls,
  ],
  exports: [DatabaseLifecycle, IndexRelay, StoreCalls],
})
class OperatorsModule {}

/** Every operation of the API document behind keys, and a database that can be taken away. */
export interface ContractStage {
  readonly stage: KeyedStage;
  readonly contract: Contract;
  /** While PostgreSQL refuses every connection. */
  withoutDatabase(work: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

export async function setContractStage(environment: Record<string, string>): Promise<ContractStage> {
  const proxies: TcpProxy[] = [];
  const databaseUrlOf = async (url: string): Promise<string> => {
    const proxy = await TcpProxy.before(url);
    proxies.push(proxy);
    return proxy.through(url);
  };
  const modules = [{ module: OperatorsModule }, { module: HealthHttpModule }, MetricsHttpModule.forRoot({ port: null })];
  const stage = await KeyedStage.set(environment, { databaseUrlOf, modules });
  const [database] = proxies as [TcpProxy];
  const connections = Array.from({ length: CONNECTIONS });
  const document = JSON.parse(JSON.stringify(buildOpenApiDocument(stage.http.app))) as { paths: object };
  return {
    stage,
    contract: new Contract(document),
    async withoutDatabase(work) {
      await database.setMode({ kind: 'refuse' });
      await work().finally(() => database.setMode({ kind: 'pass' }));
      // Those of before are noticed to be gone one by one.
      await waitFor(() => Promise.all(connections.map(() => stage.http.database.query('SELECT 1'))), { what: 'PostgreSQL is back' });
    },
    async close() {
      await stage.close();
      await database.close();
    },
  };
}
