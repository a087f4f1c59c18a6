import { Command, CommandRunner, Option, SubCommand } from 'nest-commander';
import { ServiceCommand, wholeNumber, type ServiceOptions } from '../service/service-command.js';
import { ServiceError } from '../service/service-error.js';
import { UsageError } from '../service/usage-error.js';
import { addScopes, parseDuration, parseExpiry, SCOPE_NAMES, type ScopeName } from './key-request.js';
import { keyTable, newKeyNote, type KeyReply, type NewKeyReply } from './key-text.js';

interface CreateOptions extends ServiceOptions {
  readonly name: string;
  readonly scope: readonly ScopeName[];
  readonly expires?: string;
  readonly from?: readonly string[];
  readonly perMinute?: number;
  readonly collection?: readonly string[];
  readonly direct?: boolean;
}

const NAME_MAX_LENGTH = 100;

@SubCommand({
  name: 'list',
  description: 'API keys: what they may do, until when, and when they were last used; never the keys themselves',
})
export class KeysListCommand extends ServiceCommand {
  async run(_arguments: string[], options: ServiceOptions): Promise<void> {
    const list = await this.clientOf(options).call<{ items: KeyReply[] }>('GET', '/api/v1/admin/keys');
    this.show(options, list, () => keyTable(list.items));
  }
}

/** Commands that hand a key out. */
abstract class NewKeyCommand extends ServiceCommand {
  protected showKey(options: ServiceOptions, key: NewKeyReply): void {
    if (options.json !== true) process.stderr.write(`${newKeyNote(key)}\n`);
    this.show(options, key, () => key.key);
  }
}

@SubCommand({ name: 'create', description: 'Make an API key; it is printed this once' })
export class KeysCreateCommand extends NewKeyCommand {
  @Option({ flags: '--name <text>', required: true, description: 'who uses it, and for what' })
  parseName(text: string): string {
    if (text.trim() === '' || text.length > NAME_MAX_LENGTH) throw new UsageError(`--name must have 1 to ${NAME_MAX_LENGTH} characters`);
    return text;
  }

  @Option({
    flags: '--scope <scope>',
    required: true,
    description: `${SCOPE_NAMES.join(', ')}; again for more. write includes read, admin includes admin:read`,
  })
  parseScope(text: string, before?: ScopeName[]): ScopeName[] {
    return addScopes(text, before);
  }

  @Option({ flags: '--expires <when>', description: 'like 90d, 12h or 2027-01-01; default: never' })
  parseExpires(text: string): string {
    return parseExpiry(text, Date.now());
  }

  @Option({ flags: '--from <address>', description: 'an address or range it may be used from, like 10.0.0.0/8; again for more' })
  parseFrom(text: string, before: string[] = []): string[] {
    return [...before, text];
  }

  @Option({ flags: '--per-minute <requests>', description: 'its rate limit; default: RATE_LIMIT_PER_MINUTE' })
  parsePerMinute(text: string): number {
    return wholeNumber('--per-minute', text);
  }

  @Option({ flags: '--collection <name>', description: 'a document collection it may see, and then nothing else; again for more' })
  parseCollection(text: string, before: string[] = []): string[] {
    return [...before, text];
  }

  @Option({ flags: '--direct', description: 'in the database itself, without the service: for the first key' })
  parseDirect(): boolean {
    return true;
  }

  async run(_arguments: string[], options: CreateOptions): Promise<void> {
    this.showKey(options, options.direct === true ? await this.direct(options) : await this.ask(options));
  }

  private ask(options: CreateOptions): Promise<NewKeyReply> {
    const { name, scope, expires, from, perMinute, collection } = options;
    const body = {
      name,
      scopes: scope,
      expires_at: expires,
      allowed_cidrs: from,
      rate_limit_per_minute: perMinute,
      collections: collection,
    };
    return this.clientOf(options).act<NewKeyReply>('keys', body);
  }

  private async direct({ name, scope, expires, from, perMinute, collection, url }: CreateOptions): Promise<NewKeyReply> {
    if (url !== undefined) throw new UsageError('--direct works on the database of this machine: leave --url away.');
    if (collection !== undefined) throw new UsageError('--collection needs the service, which knows the collections: leave --direct away.');
    // Loaded when they are needed: the ORM takes longer to load than most commands to run.
    const [{ createKeyDirectly }, { DomainError, isAddressRange }] = await Promise.all([
      import('./create-key-directly.js'),
      import('#kernel'),
    ]);
    const bad = from?.find((range) => !isAddressRange(range));
    if (bad !== undefined) throw new UsageError(`--from must be an address or a range such as 10.0.0.0/8, not ${bad}`);
    try {
      const expiresAt = expires === undefined ? null : new Date(expires);
      return await createKeyDirectly({ name, scopes: scope, expiresAt, allowedCidrs: from, rateLimitPerMinute: perMinute });
    } catch (error) {
      if (error instanceof DomainError) throw new ServiceError(`${error.message} (${error.code})`, error.code);
      throw error;
    }
  }
}

@SubCommand({
  name: 'rotate',
  arguments: '<id>',
  description: 'Replace a key by one that may do the same; the old one goes on for a while',
})
export class KeysRotateCommand extends NewKeyCommand {
  @Option({ flags: '--overlap <duration>', description: 'how long the old one goes on, like 30m, 12h or 7d (1d)' })
  parseOverlap(text: string): number {
    return parseDuration('--overlap', text);
  }

  async run([id]: string[], options: ServiceOptions & { readonly overlap?: number }): Promise<void> {
    const path = `keys/${encodeURIComponent(id!)}/rotate`;
    this.showKey(options, await this.clientOf(options).act<NewKeyReply>(path, { overlap_seconds: options.overlap }));
  }
}

@SubCommand({ name: 'revoke', arguments: '<id>', description: 'End a key, everywhere within five seconds' })
export class KeysRevokeCommand extends ServiceCommand {
  async run([id]: string[], options: ServiceOptions): Promise<void> {
    await this.clientOf(options).call('DELETE', `/api/v1/admin/keys/${encodeURIComponent(id!)}`);
    this.show(options, { id, revoked: true }, () => `Key ${id} is revoked.`);
  }
}

export const KEY_COMMANDS = [KeysListCommand, KeysCreateCommand, KeysRotateCommand, KeysRevokeCommand];

@Command({ name: 'keys', description: 'API keys: make, list, replace and end them', subCommands: KEY_COMMANDS })
export class KeysCommand extends CommandRunner {
  async run(): Promise<void> {
    this.command.help({ error: true });
  }
}
