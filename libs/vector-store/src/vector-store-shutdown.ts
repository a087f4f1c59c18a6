import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { VectorStore } from './vector-store.js';

/** Closes the store in the last phase of the shutdown, when whoever writes to it has drained. */
@Injectable()
export class VectorStoreShutdown implements OnApplicationShutdown {
  constructor(private readonly store: VectorStore) {}

  async onApplicationShutdown(): Promise<void> {
    await this.store.close();
  }
}
