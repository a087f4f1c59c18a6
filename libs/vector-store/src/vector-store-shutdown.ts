import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { SearchReplica } from './failover/search-replica.js';
import { VectorStore } from './vector-store.js';

/** Closes the stores in the last phase of the shutdown, when whoever writes to them has drained. */
@Injectable()
export class VectorStoreShutdown implements OnApplicationShutdown {
  constructor(
    private readonly store: VectorStore,
    @Inject(SearchReplica) private readonly replica: SearchReplica | null,
  ) {}

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.store.close(), this.replica?.store.close()]);
  }
}
