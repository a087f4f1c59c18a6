import { Injectable } from '@nestjs/common';

/** What this process remembers and can do without: vectors of questions, written answers. Whoever keeps such a memory adds how it is emptied. */
@Injectable()
export class ProcessMemory {
  private readonly forgetters: (() => void)[] = [];

  register(forget: () => void): void {
    this.forgetters.push(forget);
  }

  /** Empties all of it. What is being computed at this moment is not remembered either. */
  forget(): void {
    for (const forget of this.forgetters) forget();
  }
}
