import { Command } from 'nest-commander';
import { ServiceCommand, type ServiceOptions } from '../service/service-command.js';
import { RestoreDrillCommand } from './restore-drill.command.js';

/** Looks at everything that Kindred needs; sub-commands try what only a scratch place may go through. */
@Command({
  name: 'doctor',
  description: 'First aid: look at everything that Kindred needs, and say what to do',
  subCommands: [RestoreDrillCommand],
})
export class DoctorCommand extends ServiceCommand {
  async run(_arguments: string[], options: ServiceOptions): Promise<void> {
    const report = await this.clientOf(options).call<{ status: string }>('GET', '/health');
    this.show(options, report, () => `The service is ${report.status}.`);
  }
}
