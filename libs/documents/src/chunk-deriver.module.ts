import { DatabaseLifecycle } from '#database';
import { Module, type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { ChunkDeriver } from './chunk-deriver.js';
import { DocumentsModule } from './documents.module.js';

/** Makes chunks in this process; for programs that keep the index in step as well. */
@Module({ imports: [DocumentsModule] })
export class ChunkDeriverModule implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private isStopped = false;

  constructor(
    private readonly deriver: ChunkDeriver,
    private readonly database: DatabaseLifecycle,
  ) {}

  /** In the background: a database that is still away holds up no boot. */
  onApplicationBootstrap(): void {
    void this.startWhenReady();
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isStopped = true;
    await this.deriver.stop();
  }

  private async startWhenReady(): Promise<void> {
    try {
      await this.database.ready();
    } catch {
      // The start of the program fails with the same error, and says so.
      return;
    }
    if (!this.isStopped) this.deriver.start();
  }
}
