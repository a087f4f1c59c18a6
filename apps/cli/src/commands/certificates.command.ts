import { Command, CommandRunner, Option, SubCommand } from 'nest-commander';
import { writeFile } from 'node:fs/promises';
import { ServiceCommand, wholeNumber, type ServiceOptions } from '../service/service-command.js';
import { certificateTable, certificateText, type CertificateReply } from './certificate-text.js';

interface TargetOptions extends ServiceOptions {
  readonly source?: string;
  readonly generation?: number;
}

interface OutOptions {
  readonly out?: string;
}

abstract class CertificateTargetCommand extends ServiceCommand {
  @Option({ flags: '--source <name>', description: 'of this source' })
  parseSource(text: string): string {
    return text;
  }

  @Option({ flags: '--generation <id>', description: 'of this generation' })
  parseGeneration(text: string): number {
    return wholeNumber('--generation', text);
  }
}

@SubCommand({ name: 'list', description: 'What reconciliations have proven, newest first' })
export class CertificatesListCommand extends CertificateTargetCommand {
  @Option({ flags: '--limit <number>', description: 'at most so many (20)' })
  parseLimit(text: string): number {
    return wholeNumber('--limit', text);
  }

  async run(_arguments: string[], options: TargetOptions & { readonly limit?: number }): Promise<void> {
    const { source, generation, limit } = options;
    const page = await this.clientOf(options).read<{ items: CertificateReply[] }>('certificates', { source, generation, limit });
    this.show(options, page, () => certificateTable(page.items));
  }
}

@SubCommand({ name: 'show', arguments: '<id>', description: 'One certificate' })
export class CertificatesShowCommand extends ServiceCommand {
  @Option({ flags: '--out <file>', description: 'write the whole document there' })
  parseOut(text: string): string {
    return text;
  }

  async run([id]: string[], options: ServiceOptions & OutOptions): Promise<void> {
    const certificate = await this.clientOf(options).read<CertificateReply>(`certificates/${encodeURIComponent(id!)}`);
    await save(certificate, options);
    this.show(options, certificate, () => certificateText(certificate));
  }
}

abstract class LatestCertificateCommand extends CertificateTargetCommand {
  @Option({ flags: '--out <file>', description: 'write the whole document there' })
  parseOut(text: string): string {
    return text;
  }

  async run(_arguments: string[], options: TargetOptions & OutOptions): Promise<void> {
    const { source, generation } = options;
    const certificate = await this.clientOf(options).read<CertificateReply>('certificates/latest', { source, generation });
    await save(certificate, options);
    this.show(options, certificate, () => certificateText(certificate));
  }
}

@SubCommand({ name: 'latest', description: 'The newest certificate of the serving generation' })
export class CertificatesLatestCommand extends LatestCertificateCommand {}

@Command({ name: 'certificate', description: 'The newest certificate of the serving generation; the same as certificates latest' })
export class CertificateCommand extends LatestCertificateCommand {}

@Command({
  name: 'certificates',
  description: 'What reconciliations have proven',
  subCommands: [CertificatesListCommand, CertificatesShowCommand, CertificatesLatestCommand],
})
export class CertificatesCommand extends CommandRunner {
  async run(): Promise<void> {
    this.command.help({ error: true });
  }
}

async function save(certificate: CertificateReply, { out }: OutOptions): Promise<void> {
  if (out !== undefined) await writeFile(out, `${JSON.stringify(certificate, null, 2)}\n`);
}
