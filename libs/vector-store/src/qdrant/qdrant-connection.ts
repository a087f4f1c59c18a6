import { Logger } from '@nestjs/common';
import type { CallOptions } from '../vector-store.js';
import { QdrantCall } from './qdrant-call.js';
import { QdrantLane } from './qdrant-lane.js';
import { parseQdrantUrl } from './qdrant-url.js';
import type { QdrantVectorStoreOptions } from './qdrant-vector-store-options.js';
import { judgeServerVersion } from './server-version.js';

export type LaneName = 'search' | 'write' | 'admin';

/**
 * Searches come in numbers; writes are few (each conditional one drains the queue of its shard anyway); administration is one at a time.
 */
const MAX_CONNECTIONS: Readonly<Record<LaneName, number>> = { search: 32, write: 8, admin: 2 };
const DEFAULT_ADMIN_TIMEOUT_MS = 60_000;

export interface CallPlan {
  readonly lane: LaneName;
  /** Completes the sentence "Qdrant answered 500 to …". */
  readonly action: string;
  readonly options: CallOptions | undefined;
  /** Multiple of the lane's budget. Default 1. */
  readonly patience?: number;
}

/** The way to one server: its lanes, their budgets, and the check of its version before the first use. */
export class QdrantConnection {
  private readonly logger = new Logger('QdrantVectorStore');
  private readonly budgetsMs: Readonly<Record<LaneName, number>>;
  private readonly address;
  private lanes: Record<LaneName, QdrantLane> | null = null;
  private closing = new AbortController();
  private acceptedVersion: string | null = null;
  private support: 'full' | 'limited' | null = null;

  constructor(private readonly options: QdrantVectorStoreOptions) {
    this.address = parseQdrantUrl(options.url);
    this.budgetsMs = {
      search: options.searchTimeoutMs,
      write: options.writeTimeoutMs,
      admin: options.adminTimeoutMs ?? DEFAULT_ADMIN_TIMEOUT_MS,
    };
  }

  /** Whether the server can read a scroll in slices (1.19 and later); `false` until its version is known. */
  get hasSlices(): boolean {
    return this.support === 'full';
  }

  /** Whether the server replays conditions after a restart (1.18); `false` until its version is known. */
  get replaysConditions(): boolean {
    return this.support === 'limited';
  }

  /**
   * Runs `work` within the budget and the signal of the call. The first call asks the server for its version; one that is too old is used for nothing.
   *
   * @throws VectorStoreError
   */
  async run<T>(plan: CallPlan, work: (call: QdrantCall) => Promise<T>): Promise<T> {
    const budgetMs = plan.options?.timeoutMs ?? this.budgetsMs[plan.lane] * (plan.patience ?? 1);
    const call = new QdrantCall(this.laneOf(plan.lane), plan.action, budgetMs, plan.options ?? {}, this.closing.signal);
    try {
      if (this.acceptedVersion === null) await this.checkVersion(call);
      return await work(call);
    } finally {
      call.finish();
    }
  }

  /** Asks the server for its version, judges it, and returns it. */
  async checkVersion(call: QdrantCall): Promise<string> {
    const reply = (await call.exchange((api, init) => api.root({}, init))) as { readonly version?: unknown } | null;
    const version = String(reply?.version);
    const isNews = version !== this.acceptedVersion;
    this.acceptedVersion = null;
    this.support = null;
    const support = judgeServerVersion(version);
    this.acceptedVersion = version;
    this.support = support;
    if (isNews && support === 'limited') {
      this.logger.warn(
        `Qdrant ${version}: works, but after a restart it may bring back deleted points, so check the index against the rows after each one. 1.19 or later is recommended.`,
      );
    }
    return version;
  }

  /** Fails what is under way and closes all connections. A later call opens new ones. */
  async close(): Promise<void> {
    this.closing.abort();
    this.closing = new AbortController();
    this.acceptedVersion = null;
    this.support = null;
    const lanes = this.lanes;
    this.lanes = null;
    if (lanes !== null) await Promise.all(Object.values(lanes).map((lane) => lane.destroy()));
  }

  private laneOf(name: LaneName): QdrantLane {
    const open = (lane: LaneName): QdrantLane => new QdrantLane(this.address, this.options.apiKey, MAX_CONNECTIONS[lane]);
    this.lanes ??= { search: open('search'), write: open('write'), admin: open('admin') };
    return this.lanes[name];
  }
}
