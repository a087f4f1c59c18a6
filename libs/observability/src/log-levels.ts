import { LogConfig } from '#config';
import { CONTEXTS_OF_COMPONENT, LOG_COMPONENTS, LOG_LEVELS, type LogComponent, type LogLevel } from '#kernel';
import { Injectable } from '@nestjs/common';

const COMPONENT_OF_CONTEXT: ReadonlyMap<unknown, LogComponent> = new Map(
  LOG_COMPONENTS.flatMap((component) => CONTEXTS_OF_COMPONENT[component].map((context) => [context, component] as const)),
);

const RANKS = new Map<LogLevel, number>(LOG_LEVELS.map((level, rank) => [level, rank]));

/** Which lines of which component are written; may be changed while the process runs. What is set here ends with the process. */
@Injectable()
export class LogLevels {
  private readonly ranks = new Map<LogComponent, number>();

  constructor(private readonly configured: LogConfig) {
    this.reset();
  }

  /** The level of every component. */
  get(): Readonly<Record<LogComponent, LogLevel>> {
    const entries = LOG_COMPONENTS.map((component) => [component, LOG_LEVELS[this.ranks.get(component)!]!] as const);
    return Object.fromEntries(entries) as Record<LogComponent, LogLevel>;
  }

  /** From now on; `*` = of all components. */
  set(component: LogComponent | '*', level: LogLevel): void {
    for (const one of component === '*' ? LOG_COMPONENTS : [component]) this.ranks.set(one, RANKS.get(level)!);
  }

  /** As LOG_LEVEL says, again. */
  reset(): void {
    const { level, levels } = this.configured;
    for (const component of LOG_COMPONENTS) this.set(component, levels[component] ?? level);
  }

  /** Whether a line of that level, by the logger of that name, is written. */
  allows(level: Exclude<LogLevel, 'silent'>, context: unknown): boolean {
    return RANKS.get(level)! <= this.ranks.get(COMPONENT_OF_CONTEXT.get(context) ?? 'framework')!;
  }
}
