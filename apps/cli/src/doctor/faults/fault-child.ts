import { replacedEnvironment, RUNTIME_OPTIONS } from '#config';
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { ChildMessage } from './fault-messages.js';
import type { IndexReport } from './index-check.js';
import { FaultDrillError } from './scratch-place.js';
import type { StoreFault } from './store-faults.js';

const WORKER = fileURLToPath(new URL('./fault-worker.js', import.meta.url));

/** A process with the engine in it, to be killed and frozen. */
export class FaultChild {
  readonly ended: Promise<void>;
  private readonly child: ChildProcess;
  private readonly isReady: Promise<void>;
  private lastWords = '';

  constructor(environment: Readonly<Record<string, string>>, seed: number, onFault: (fault: StoreFault) => void) {
    this.child = fork(WORKER, [String(seed)], {
      execArgv: [...RUNTIME_OPTIONS],
      env: replacedEnvironment(environment),
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.child.stderr?.on('data', (chunk: Buffer) => (this.lastWords = `${this.lastWords}${chunk.toString()}`.slice(-2_000)));
    this.ended = new Promise((resolve) => this.child.once('exit', () => resolve()));
    this.child.on('message', (message: ChildMessage) => {
      if (message.kind === 'fault') onFault(message.fault);
    });
    this.isReady = this.next('ready').then(() => undefined);
    // Who kills it while it starts does not wait for it.
    this.isReady.catch(() => undefined);
  }

  /** @throws FaultDrillError when it ends before */
  ready(): Promise<void> {
    return this.isReady;
  }

  /** Comes to rest without further faults, and looks at everything. */
  async check(): Promise<IndexReport> {
    const reported = this.next('report');
    this.child.send({ kind: 'check' });
    return (await reported).report;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.ended;
  }

  async stop(): Promise<void> {
    this.child.send({ kind: 'stop' });
    await this.ended;
  }

  freeze(): void {
    this.child.kill('SIGSTOP');
  }

  thaw(): void {
    this.child.kill('SIGCONT');
  }

  private next<Kind extends ChildMessage['kind']>(kind: Kind): Promise<Extract<ChildMessage, { kind: Kind }>> {
    return new Promise((resolve, reject) => {
      const listen = (message: ChildMessage): void => {
        if (message.kind === kind) resolve(message as Extract<ChildMessage, { kind: Kind }>);
        else if (message.kind === 'failed') reject(new FaultDrillError(`The engine of the drill failed: ${message.message}`));
        else return;
        this.child.off('message', listen);
      };
      this.child.on('message', listen);
      void this.ended.then(() => reject(new FaultDrillError(`The engine of the drill ended by itself. ${this.lastWords.trim()}`)));
    });
  }
}
