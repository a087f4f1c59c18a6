import { randomUUID } from 'node:crypto';
import type { HttpHarness, Json, Reply } from '../http-harness.js';
import type { ChainStep, Condition } from './chain-steps.js';
import type { Contract } from './contract.js';

/** Rows with versions, and the operations on them. */
export interface Resource {
  readonly path: string;
  readonly operations: Readonly<Record<Exclude<ChainStep['kind'], 'repeat'>, string>>;
  /** Of its body: the field that a chain changes. */
  readonly textField: string;
  /** The rest of its body. */
  readonly rest: Json;
}

interface Row {
  readonly id: string;
  version: number;
  text: string;
  external: string | null;
  isGone: boolean;
  isErased: boolean;
}

/** A request with an Idempotency-Key, and what it was answered. */
interface Keyed {
  readonly key: string;
  readonly body: Json;
  readonly reply: Reply;
  readonly row: Row | null;
}

/** Calls one after the other beside a model of the rows that it makes: what each must be answered follows from those before. */
export class Chain {
  private readonly rows: Row[] = [];
  private readonly name = randomUUID();
  private keyed: Keyed | null = null;
  private texts = 0;

  constructor(
    private readonly http: HttpHarness,
    private readonly contract: Contract,
    private readonly resource: Resource,
  ) {}

  /** @throws Error when an answer is not the one of the model, or none that the document promises */
  async run(steps: readonly ChainStep[]): Promise<void> {
    for (const step of steps) await this.take(step);
    for (const [at] of this.rows.entries()) await this.read({ kind: 'read', at, knows: 'nothing' });
  }

  private take(step: ChainStep): Promise<void> {
    switch (step.kind) {
      case 'create':
        return this.create(step);
      case 'repeat':
        return this.repeat(step);
      case 'read':
        return this.read(step);
      case 'replace':
      case 'change':
        return this.write(step);
      case 'remove':
        return this.remove(step);
      case 'removeMany':
        return this.removeMany(step);
      case 'status':
        return this.look(step);
      case 'list':
        return this.list();
    }
  }

  private async create({ external, isKeyed }: ChainStep & { kind: 'create' }): Promise<void> {
    const externalId = this.externalOf(external);
    const body = this.bodyOf(this.newText(), externalId);
    const key = isKeyed ? randomUUID() : null;
    const isTaken = this.holderOf(externalId) !== undefined;
    const reply = await this.call('create', 'POST', '', [isTaken ? 409 : 201], { payload: body, headers: keyHeader(key) });
    const row = isTaken ? null : this.made(reply, body);
    if (key !== null) this.keyed = { key, body, reply, row };
  }

  /** Whatever became of the row, an answer is repeated as it was; until the erasure of its row has come to it. */
  private async repeat({ isOther }: ChainStep & { kind: 'repeat' }): Promise<void> {
    if (this.keyed === null) return;
    const { key, body, reply: first, row } = this.keyed;
    const payload = isOther ? { ...body, [this.resource.textField]: this.newText() } : body;
    const statuses = isOther ? [422] : row?.isErased === true ? [first.status, 409] : [first.status];
    const reply = await this.call('create', 'POST', '', statuses, { payload, headers: keyHeader(key) });
    if (isOther) return this.agree('create', reply.body.code, 'idempotency.other-payload');
    if (reply.status !== first.status) return this.agree('create', reply.body.code, 'idempotency.answer-erased');
    this.agree('create', reply.headers['idempotency-replayed'], 'true');
    if (first.status === 201) this.agree('create', reply.text, first.text);
    else this.agree('create', reply.body.code, first.body.code);
  }

  private async read({ at, knows }: ChainStep & { kind: 'read' }): Promise<void> {
    const row = this.rowAt(at);
    const tag = { nothing: null, current: row?.version ?? 1, stale: 9_999 }[knows];
    const status = isThere(row) ? (knows === 'current' ? 304 : 200) : 404;
    const headers = tag === null ? {} : { 'if-none-match': `"v${tag}"` };
    const reply = await this.call('read', 'GET', this.idOf(row), [status], { headers });
    if (status === 200) this.agreeOn('read', reply, row!);
  }

  private async write({ kind, at, condition, external }: ChainStep & { kind: 'replace' | 'change' }): Promise<void> {
    const row = this.rowAt(at);
    const externalId = this.externalOf(external);
    const [text, holder] = [this.newText(), this.holderOf(externalId)];
    const refusal = refusalOf(row, condition) ?? (holder === undefined || holder === row ? null : 409);
    const payload = kind === 'replace' ? this.bodyOf(text, externalId) : { [this.resource.textField]: text, external_id: externalId };
    const method = kind === 'replace' ? 'PUT' : 'PATCH';
    const headers = conditionHeader(condition, row);
    const reply = await this.call(kind, method, this.idOf(row), [refusal ?? 200], { payload, headers });
    if (refusal !== null) return;
    Object.assign(row!, { version: row!.version + 1, text, external: externalId });
    this.agreeOn(kind, reply, row!);
  }

  private async remove({ at, condition, hasReceipt }: ChainStep & { kind: 'remove' }): Promise<void> {
    const row = this.rowAt(at);
    const refusal = refusalOf(row, condition);
    const url = `${this.idOf(row)}${hasReceipt ? '?receipt=true' : ''}`;
    await this.call('remove', 'DELETE', url, [refusal ?? (hasReceipt ? 202 : 204)], { headers: conditionHeader(condition, row) });
    if (refusal === null) Object.assign(row!, { isGone: true, isErased: hasReceipt });
  }

  private async removeMany({ ats }: ChainStep & { kind: 'removeMany' }): Promise<void> {
    const rows = [...new Set(ats.map((at) => this.rowAt(at)))].filter((row) => row !== null);
    if (rows.length === 0) return;
    const ids = rows.map(({ id }) => id);
    const reply = await this.call('removeMany', 'POST', '/delete', [200], { payload: { ids } });
    const gone = rows.filter(({ isGone }) => isGone).map(({ id }) => id);
    this.agree('removeMany', JSON.stringify(reply.body), JSON.stringify({ deleted: ids.length - gone.length, not_found: gone }));
    for (const row of rows) row.isGone = true;
  }

  private async look({ at }: ChainStep & { kind: 'status' }): Promise<void> {
    const row = this.rowAt(at);
    await this.call('status', 'GET', `${this.idOf(row)}/index-status`, [isThere(row) ? 200 : 404]);
  }

  /** The newest come first, so all of the chain are on the page. */
  private async list(): Promise<void> {
    const { body } = await this.call('list', 'GET', '?limit=100', [200]);
    const listed = new Map((body.items as Json[]).map((item) => [item.id as string, item]));
    for (const { id, isGone, version } of this.rows) this.agree('list', listed.get(id)?.version, isGone ? undefined : version);
  }

  private async call(
    kind: keyof Resource['operations'],
    method: string,
    url: string,
    statuses: readonly number[],
    options: Json = {},
  ): Promise<Reply> {
    const reply = await this.http.send(method, `${this.resource.path}${url}`, options);
    this.contract.check(this.contract.operation(this.resource.operations[kind]), reply);
    if (!statuses.includes(reply.status)) this.agree(kind, reply.status, statuses.join(' or '));
    return reply;
  }

  private made(reply: Reply, body: Json): Row {
    const text = body[this.resource.textField] as string;
    const row: Row = { id: reply.body.id, version: 1, text, external: body.external_id, isGone: false, isErased: false };
    this.rows.push(row);
    this.agreeOn('create', reply, row);
    return row;
  }

  private agreeOn(kind: ChainStep['kind'], { headers, body }: Reply, { id, version, text, external }: Row): void {
    const got = [headers['etag'], body.id, body.version, body[this.resource.textField], body.external_id];
    this.agree(kind, JSON.stringify(got), JSON.stringify([`"v${version}"`, id, version, text, external]));
  }

  private agree(kind: ChainStep['kind'], got: unknown, wanted: unknown): void {
    if (got !== wanted) throw new Error(`${kind} of ${this.resource.path}: ${String(wanted)} was to come, and ${String(got)} came`);
  }

  private bodyOf(text: string, externalId: string | null): Json {
    return { ...this.resource.rest, [this.resource.textField]: text, external_id: externalId };
  }

  private newText(): string {
    return `text ${++this.texts}`;
  }

  private externalOf(number: number | null): string | null {
    return number === null ? null : `${this.name}-${number}`;
  }

  private holderOf(externalId: string | null): Row | undefined {
    return externalId === null ? undefined : this.rows.find(({ external, isGone }) => external === externalId && !isGone);
  }

  private rowAt(at: number): Row | null {
    return this.rows.length === 0 ? null : this.rows[at % this.rows.length]!;
  }

  private idOf(row: Row | null): string {
    return `/${row?.id ?? this.name}`;
  }
}

function isThere(row: Row | null): row is Row {
  return row !== null && !row.isGone;
}

function refusalOf(row: Row | null, condition: Condition): number | null {
  if (!isThere(row)) return 404;
  return condition === 'stale' ? 412 : null;
}

function conditionHeader(condition: Condition, row: Row | null): Record<string, string> {
  const version = row?.version ?? 1;
  const tag = { none: null, current: `"v${version}"`, stale: `"v${version + 1}"`, any: '*' }[condition];
  return tag === null ? {} : { 'if-match': tag };
}

function keyHeader(key: string | null): Record<string, string> {
  return key === null ? {} : { 'idempotency-key': key };
}
