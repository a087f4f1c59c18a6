import { DatabaseLifecycle, UnitOfWork } from '#database';
import { HealthHttpModule } from '#health';
import { MetricsHttpModule } from '#metrics';
import { IndexRelay } from '#sync';
import { TcpProxy } from '#testing';
import { StoreCalls } from '#vector-store';
import { Global, Module } from '@nestjs/common';
import { buildOpenApiDocument } from '../src/http/openapi-document.js';
import { Contract } from './fuzz/contract.js';
import { KeyedStage } from './keyed-stage.js';

const RELAY = { isRunning: false, counts: {}, lag: { boundsMs: [], counts: [0], sumMs: 0 }, store: {}, embedders: [], inFlight: 0 };

/** What probes and metrics look at beside the rest. */
@Global()
@Module({
  providers: [
    {
      provide: DatabaseLifecycle,
      useFactory: (unitOfWork: UnitOfWork) => ({ ping: () => unitOfWork.query('SELECT 1'), poolCounts: () => null }),
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
  readonly database: TcpProxy;
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
  const document = JSON.parse(JSON.stringify(buildOpenApiDocument(stage.http.app))) as { paths: object };
  return {
    stage,
    contract: new Contract(document),
    database,
    async close() {
      await database.setMode({ kind: 'pass' });
      await stage.close();
      await database.close();
    },
  };
}

