import { UnitOfWork, type SqlSession } from '#database';
import { IdGenerator } from '#kernel';
import { Injectable, Logger } from '@nestjs/common';
import { hostname, userInfo } from 'node:os';
import { withoutSecrets } from './without-secrets.js';

/** Something that an operator is about to do. */
export interface AuditedAct {
  /** `null` = no key was asked for. */
  readonly keyId: string | null;
  readonly keyName: string | null;
  readonly channel: 'http' | 'cli';
  /** For example `POST /api/v1/admin/generations/:id/switch`. */
  readonly action: string;
  /** What it acts on. */
  readonly target: string | null;
  /** What was asked for; must hold nothing secret. */
  readonly detail: unknown;
  /** Where it comes from. */
  readonly address: string | null;
  readonly requestId: string | null;
}

/** `refused`: it was not done, and the request was at fault; `failed`: it went wrong. */
export interface AuditedResult {
  readonly result: 'ok' | 'refused' | 'failed';
  /** Of the error. */
  readonly code: string | null;
}

/** An act with what became of it. */
export interface AuditEntry extends AuditedAct {
  readonly actId: string;
  readonly begunAt: Date;
  readonly endedAt: Date | null;
  /** `unknown`: it has not ended, or its process did not live to say so. */
  readonly result: AuditedResult['result'] | 'unknown';
  readonly code: string | null;
}

export interface AuditPage {
  readonly items: readonly AuditEntry[];
  /** Of the last entry, when there are more. */
  readonly nextBefore: string | null;
}

const DETAIL_MAX_LENGTH = 4_000;
type Phase = 'begun' | 'ended';

/** The record of what operators did. It can be added to only: the database refuses to change or remove an entry. */
@Injectable()
export class AuditLog {
  private readonly logger = new Logger(AuditLog.name);

  constructor(
    private readonly database: UnitOfWork,
    private readonly ids: IdGenerator,
  ) {}

  /**
   * Does something and records it: once before it begins, so that nothing happens unrecorded, and once when it has ended.
   *
   * @param resultOf what an error of `work` means
   * @param targetOf what `work` has made, where it was not known before
   * @throws what `work` throws; DomainError `database.unavailable` before it has begun
   */
  async during<T>(
    act: AuditedAct,
    work: () => Promise<T>,
    resultOf: (error: unknown) => AuditedResult,
    targetOf: (done: T) => string | null = () => null,
  ): Promise<T> {
    const actId = this.ids.uuid();
    await insertEntry(this.database, actId, 'begun', act, null);
    let done: T;
    try {
      done = await work();
    } catch (error) {
      await this.end(actId, act, resultOf(error));
      throw error;
    }
    await this.end(actId, { ...act, target: act.target ?? targetOf(done) }, { result: 'ok', code: null });
    return done;
  }

  /** Newest first. @param before the `audit_id` that a page before ended with */
  async list(limit: number, before: string | null = null): Promise<AuditPage> {
    const { rows } = await this.database.query<AuditRow>(
      `SELECT begun.audit_id, begun.act_id, begun.at AS begun_at, ended.at AS ended_at, begun.key_id, begun.key_name, begun.channel, begun.action,
              coalesce(begun.target, ended.target) AS target, begun.detail, begun.address, begun.request_id, ended.result, ended.code
         FROM public.audit_entries begun
         LEFT JOIN public.audit_entries ended ON ended.act_id = begun.act_id AND ended.phase = 'ended'
        WHERE begun.phase = 'begun' AND ($2::bigint IS NULL OR begun.audit_id < $2)
        ORDER BY begun.audit_id DESC LIMIT $1 + 1`,
      [limit, before],
    );
    const page = rows.slice(0, limit);
    return { items: page.map(entryOf), nextBefore: rows.length > limit ? page.at(-1)!.audit_id : null };
  }

  /** The act is done, whatever becomes of its record: an entry that cannot be ended says `unknown`. */
  private async end(actId: string, act: AuditedAct, result: AuditedResult): Promise<void> {
    await insertEntry(this.database, actId, 'ended', act, result).catch((error: unknown) => {
      this.logger.warn({
        msg: 'The end of an act could not be recorded',
        act_id: actId,
        action: act.action,
        result: result.result,
        err: error,
      });
    });
  }
}

/** Records an act that is done when the transaction of the session commits, and by nothing else: one that was not committed was none. */
export async function recordDone(session: SqlSession, actId: string, act: AuditedAct): Promise<void> {
  await insertEntry(session, actId, 'begun', act, null);
  await insertEntry(session, actId, 'ended', act, { result: 'ok', code: null });
}

async function insertEntry(session: SqlSession, actId: string, phase: Phase, act: AuditedAct, result: AuditedResult | null): Promise<void> {
  const detail = act.detail === undefined || act.detail === null || phase === 'ended' ? null : JSON.stringify(withoutSecrets(act.detail));
  await session.query(
    `INSERT INTO public.audit_entries (act_id, phase, key_id, key_name, channel, action, target, detail, address, request_id, result, code)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8::json, $9, $10, $11, $12)`,
    [
      actId,
      phase,
      act.keyId,
      act.keyName,
      act.channel,
      act.action,
      act.target,
      detail !== null && detail.length > DETAIL_MAX_LENGTH ? JSON.stringify({ omitted_characters: detail.length }) : detail,
      act.address,
      act.requestId,
      result?.result ?? null,
      result?.code ?? null,
    ],
  );
}

/** Who acts by the command line on the database itself: nobody with a key, but somebody on a machine. */
export function cliActor(): Pick<AuditedAct, 'keyId' | 'keyName' | 'channel' | 'address' | 'requestId'> {
  return { keyId: null, keyName: null, channel: 'cli', address: `${userInfo().username}@${hostname()}`, requestId: null };
}

interface AuditRow {
  readonly audit_id: string;
  readonly act_id: string;
  readonly begun_at: Date;
  readonly ended_at: Date | null;
  readonly key_id: string | null;
  readonly key_name: string | null;
  readonly channel: 'http' | 'cli';
  readonly action: string;
  readonly target: string | null;
  readonly detail: unknown;
  readonly address: string | null;
  readonly request_id: string | null;
  readonly result: AuditedResult['result'] | null;
  readonly code: string | null;
}

function entryOf(row: AuditRow): AuditEntry {
  return {
    actId: row.act_id,
    begunAt: row.begun_at,
    endedAt: row.ended_at,
    keyId: row.key_id,
    keyName: row.key_name,
    channel: row.channel,
    action: row.action,
    target: row.target,
    detail: row.detail,
    address: row.address,
    requestId: row.request_id,
    result: row.result ?? 'unknown',
    code: row.code,
  };
}
