import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { EmbedderRegistry } from './embedder-registry.js';

/** Ends the embedding threads when the application has stopped taking work. */
@Injectable()
export class EmbedderShutdown implements OnApplicationShutdown {
  constructor(private readonly registry: EmbedderRegistry) {}

  async onApplicationShutdown(): Promise<void> {
    await this.registry.close();
  }
}
