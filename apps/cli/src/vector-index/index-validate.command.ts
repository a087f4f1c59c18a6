import { Option, SubCommand } from 'nest-commander';
import { certificateText } from '../commands/certificate-text.js';
import { ServiceCommand, wholeNumber, type ServiceOptions } from '../service/service-command.js';
import { isClean, validate } from './validation.js';

interface ValidateOptions extends ServiceOptions {
  readonly source?: string;
  readonly generation?: number;
}

@SubCommand({
  name: 'validate',
  description:
    'Compare rows and index of every source without repairing anything; exit code 1 when something differs, or could not be compared',
})
export class IndexValidateCommand extends ServiceCommand {
  @Option({ flags: '--source <name>', description: 'only the serving generation of this source' })
  parseSource(text: string): string {
    return text;
  }

  @Option({ flags: '--generation <id>', description: 'only this generation' })
  parseGeneration(text: string): number {
    return wholeNumber('--generation', text);
  }

  async run(_arguments: string[], options: ValidateOptions): Promise<void> {
    const { source, generation } = options;
    const certificates = await validate(this.clientOf(options), { source, generation }, (...following) => this.follow(...following));
    const isValid = certificates.length > 0 && certificates.every(isClean);
    this.show(options, { valid: isValid, certificates }, () => {
      const end = isValid ? 'Rows and index agree.' : 'They do not all agree. kindred reconcile --wait repairs what differs.';
      return [...certificates.map(certificateText), '', end].join('\n');
    });
    if (!isValid) this.fail();
  }
}
