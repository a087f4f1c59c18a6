import { SecurityConfig } from '#config';
import { FatalStartupError } from '#kernel';
import { Injectable, Logger } from '@nestjs/common';
import { ApiKeys } from './api-keys.js';

/** Makes the first key; for messages. */
export const MAKE_A_KEY = 'npx kindred keys create --direct --name operator --scope admin --scope write';

/** Looks, once, whether the door is as it should be: somebody can come in, and if everybody can, that is said. */
@Injectable()
export class DoorCheck {
  private readonly logger = new Logger('Access');

  constructor(
    private readonly config: SecurityConfig,
    private readonly keys: ApiKeys,
  ) {}

  /** Needs a migrated database. @throws FatalStartupError when keys are asked for and there is none */
  async run(): Promise<void> {
    const { access, bootstrapKey } = this.config;
    if (access === 'local') {
      this.logger.warn('No API key is asked for: this is no production, and only this machine is listened to (AUTH=required asks for one)');
    } else if (access === 'open') {
      this.logger.warn('No API key is asked for, from anybody who reaches this address: AUTH is off');
    } else if (bootstrapKey !== null) {
      this.logger.warn('KINDRED_BOOTSTRAP_KEY opens everything. Make keys of their own for clients, then take it away');
    } else {
      await this.needAKey();
    }
  }

  private async needAKey(): Promise<void> {
    const { good, ofAnotherPepper } = await this.keys.count();
    if (good === 0) {
      throw new FatalStartupError(
        `${ofAnotherPepper === 0 ? NO_KEY : otherPepperText(ofAnotherPepper)} with\n` +
          `  ${MAKE_A_KEY}\n` +
          '(with the same DATABASE_URL and API_KEY_PEPPER or DATA_DIR), or set KINDRED_BOOTSTRAP_KEY, for example to what "openssl rand -hex 32" prints.',
      );
    }
  }
}

const NO_KEY = 'API keys are asked for, and there is none. Make the first one';

const otherPepperText = (keys: number): string =>
  `API keys are asked for, and none is good: ${keys} in the database ${keys === 1 ? 'was' : 'were'} made with another API_KEY_PEPPER, or with the file ` +
  'api-key-pepper of another DATA_DIR. Put that back, or make a new key';
