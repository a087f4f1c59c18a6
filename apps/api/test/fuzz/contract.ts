import type { Reply } from '../http-harness.js';
import { conformsTo } from '../json-schema.js';
import { operationsOf, type Operation } from './operations.js';

interface ApiDocument {
  readonly paths: object;
}

const PROBLEM = 'application/problem+json';
/** Documented for what only some of the replies with that status have. */
const SOMETIMES: ReadonlySet<string> = new Set([
  'idempotency-replayed',
  'x-kindred-token',
  '409 retry-after',
  'getCertificate content-disposition',
]);

/** What a problem with that status has, whether the document says so or not. */
const ALWAYS: Readonly<Record<number, string>> = { 401: 'www-authenticate', 429: 'retry-after', 503: 'retry-after' };

/** The API document as a promise: every reply is held against it, and what was seen is remembered. */
export class Contract {
  readonly operations: readonly Operation[];
  private readonly seen = new Set<string>();

  /** @param document as JSON has it */
  constructor(readonly document: ApiDocument) {
    this.operations = operationsOf(document);
  }

  operation(operationId: string): Operation {
    const found = this.operations.find((one) => one.operationId === operationId);
    if (found === undefined) throw new Error(`The document has no operation ${operationId}`);
    return found;
  }

  /**
   * Looks whether the reply is one that the document promises: its status, headers, content type and body.
   *
   * @param mayFail whether something was broken on purpose; without it a 5xx is a defect, documented or not
   * @throws Error that names the departure
   */
  check(operation: Operation, reply: Reply, { mayFail = false } = {}): void {
    const defect = (what: string) => new Error(`${operation.operationId} answered ${reply.status}: ${what}\n${reply.text.slice(0, 600)}`);
    if (reply.status >= 500 && !mayFail) throw defect('no request may be answered so');
    const rule = operation.responses[String(reply.status)];
    if (rule === undefined) throw defect('the status is not documented');
    this.seen.add(`${operation.operationId} ${reply.status}`);
    const type = (reply.headers['content-type'] ?? '').split(';')[0]!;
    const promised = Object.keys(rule.headers ?? {}).map((name) => name.toLowerCase());
    if (type === PROBLEM && ALWAYS[reply.status] !== undefined) promised.push(ALWAYS[reply.status]!);
    for (const name of ['x-request-id', ...promised]) {
      if ([name, `${reply.status} ${name}`, `${operation.operationId} ${name}`].some((key) => SOMETIMES.has(key))) continue;
      if (reply.headers[name] === undefined) throw defect(`it has no ${name}`);
    }
    if (rule.content === undefined) {
      if (reply.text !== '') throw defect('a body is not documented');
      return;
    }
    const media = rule.content[type];
    if (media === undefined) throw defect(`the content type ${type} is not documented`);
    if (reply.body === undefined) return;
    const departures = conformsTo(media.schema, reply.body, this.document);
    if (departures.length > 0) throw defect(departures.slice(0, 5).join('; '));
    if (type === PROBLEM && reply.body.status !== reply.status) throw defect('the problem names another status');
  }

  hasSeen(operationId: string, status: number | string): boolean {
    return this.seen.has(`${operationId} ${status}`);
  }

  /** Documented statuses that no reply has had: `createProject 409`. */
  unseen(): string[] {
    return this.operations.flatMap(({ operationId, responses }) =>
      Object.keys(responses)
        .filter((status) => !this.hasSeen(operationId, status))
        .map((status) => `${operationId} ${status}`),
    );
  }
}
