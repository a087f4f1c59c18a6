import { randomUUID } from 'node:crypto';

/** Makes identifiers that need no order, such as lease tokens and request ids. */
export abstract class IdGenerator {
  abstract uuid(): string;
}

export class SystemIdGenerator extends IdGenerator {
  uuid(): string {
    return randomUUID();
  }
}
