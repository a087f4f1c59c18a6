import type { SqlSession } from '#database';
import { RepeatedMessages, type Clock } from '#kernel';
import { Logger } from '@nestjs/common';
import type { ConsistencyToken } from './consistency-token.js';
import { readVersion } from './read-version.js';

/** A write has already happened: rather no token than a reply that is noticeably late. */
const TIMEOUT_DEFAULT_MS = 250;

export interface TokenIssuerParts {
  readonly session: SqlSession;
  /** The serving generation, or `null` while there is none. */
  readonly servingId: (source: string) => Promise<number | null>;
  readonly clock: Clock;
  /** Longest time a token may take, milliseconds. Default 250. */
  readonly timeoutMs?: number;
}

/** Makes the tokens of writes; never rejects, and never takes longer than its time. */
export class TokenIssuer {
  private readonly logger = new Logger('ConsistencyTokens');
  private readonly messages: RepeatedMessages;

  constructor(private readonly parts: TokenIssuerParts) {
    this.messages = new RepeatedMessages(parts.clock);
  }

  /** Call it after the commit. `null` = there is no token this time: no generation serves, or the ledger did not answer in time. */
  async issue(source: string, id: string): Promise<ConsistencyToken | null> {
    let timer: NodeJS.Timeout | undefined;
    try {
      const timeout = new Promise<never>((_resolve, reject) => {
        const timeoutMs = this.parts.timeoutMs ?? TIMEOUT_DEFAULT_MS;
        timer = setTimeout(() => reject(new Error(`The ledger did not answer within ${timeoutMs} ms`)), timeoutMs).unref();
      });
      return await Promise.race([this.read(source, id), timeout]);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const message = this.messages.pass('issue', `A write was answered without consistency token: ${reason}`);
      if (message !== null) this.logger.warn(message);
      return null;
    } finally {
      clearTimeout(timer);
    }
  }

  private async read(source: string, id: string): Promise<ConsistencyToken | null> {
    const generationId = await this.parts.servingId(source);
    if (generationId === null) return null;
    const version = await readVersion(this.parts.session, generationId, id);
    return version === null ? null : { source, id, generationId, version };
  }
}
