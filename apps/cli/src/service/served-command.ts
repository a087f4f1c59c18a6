import { loadConfig } from '#config';
import type { KindredClient } from './kindred-client.js';
import { ServiceCommand, type ServiceOptions } from './service-command.js';
import { ServiceError } from './service-error.js';
import { ServiceProcess } from './service-process.js';
import { findRunningService } from './service-url.js';

/** A command that starts the service for as long as it needs it when none runs. */
export abstract class ServedCommand extends ServiceCommand {
  protected async withService<T>(options: ServiceOptions, work: (client: KindredClient) => Promise<T>): Promise<T> {
    const url = options.url ?? runningService();
    if (url !== null) return work(this.clientAt(url, options));
    process.stderr.write('No service runs here; it is started for as long as this takes.\n');
    // Its address is nobody's business: the usual port may belong to another installation.
    const service = await ServiceProcess.start({ PORT: '0' });
    try {
      return await work(this.clientAt(service.url, options));
    } finally {
      await service.stop();
    }
  }
}

function runningService(): string | null {
  try {
    return findRunningService(loadConfig().data.dataDir);
  } catch (error) {
    if (error instanceof ServiceError && error.isPassing) return null;
    throw error;
  }
}
