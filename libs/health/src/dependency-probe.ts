/** What the last look at a dependency said. */
export interface ProbeResult<Value = unknown> {
  readonly state: 'up' | 'slow' | 'down' | 'unknown';
  /** Duration of the last look, milliseconds; `null` before the first one. */
  readonly responseTimeMs: number | null;
  /** When it ended; `null` before the first one. */
  readonly checkedAt: Date | null;
  /** A short reason when it is down: never a host, a path or a secret. */
  readonly reason: string | null;
  /** What it answered; `null` unless it is up or slow. */
  readonly value: Value | null;
}

const UNKNOWN = { state: 'unknown', responseTimeMs: null, checkedAt: null, reason: null, value: null } as const;

export interface DependencyProbeOptions<Value> {
  /** Asks the dependency; must settle soon after `signal` aborts, but is not trusted to. */
  readonly ask: (signal: AbortSignal) => Promise<Value>;
  /** A look that takes longer counts as down. */
  readonly timeoutMs: number;
  /** A look that takes longer counts as slow. */
  readonly slowMs: number;
  readonly now: () => Date;
  readonly monotonicMs: () => number;
}

/**
 * Looks at one dependency when told to, one look at a time, and remembers the answer; readers never wait.
 */
export class DependencyProbe<Value = unknown> {
  private result: ProbeResult<Value> = UNKNOWN;
  private running: Promise<void> | null = null;

  constructor(private readonly options: DependencyProbeOptions<Value>) {}

  get last(): ProbeResult<Value> {
    return this.result;
  }

  /** Looks now, or joins the look that is under way. Never rejects. */
  refresh(): Promise<void> {
    this.running ??= this.look().finally(() => {
      this.running = null;
    });
    return this.running;
  }

  /** Looks once more after the look that is under way, whose answer may be older than what the caller knows. Never rejects. */
  async refreshAnew(): Promise<void> {
    await this.running;
    await this.refresh();
  }

  private async look(): Promise<void> {
    const { ask, timeoutMs, slowMs, now, monotonicMs } = this.options;
    const startedMs = monotonicMs();
    const controller = new AbortController();
    let timer: NodeJS.Timeout | undefined;
    try {
      // Raced, because a dependency that hangs may also ignore its signal.
      const value = await Promise.race([
        ask(controller.signal),
        new Promise<never>((_, reject) => {
          timer = setTimeout(() => reject(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
        }),
      ]);
      const responseTimeMs = monotonicMs() - startedMs;
      this.result = { state: responseTimeMs > slowMs ? 'slow' : 'up', responseTimeMs, checkedAt: now(), reason: null, value };
    } catch (error) {
      controller.abort(error);
      this.result = { state: 'down', responseTimeMs: monotonicMs() - startedMs, checkedAt: now(), reason: reasonOf(error), value: null };
    } finally {
      clearTimeout(timer);
    }
  }
}

/** The code of a known error; the text of an unknown one may name hosts, so it stays in the log. */
function reasonOf(error: unknown): string {
  if (error instanceof Error && error.message.startsWith('no answer within')) return error.message;
  if (typeof error === 'object' && error !== null) {
    if ('code' in error && typeof error.code === 'string') return error.code;
    if ('kind' in error && typeof error.kind === 'string') return error.kind;
  }
  return 'failed';
}
