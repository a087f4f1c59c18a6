/** What is said of a span: names, kinds and numbers, never texts or ids of rows. */
export type SpanAttributes = Readonly<Record<string, string | number | boolean>>;

/** A piece of work that is under way. */
export interface OpenSpan {
  /** Runs the work; spans that it opens are children of this one, also after it has returned. */
  run<T>(work: () => T): T;
  set(attributes: SpanAttributes): void;
  /** It ended; `failure` is what it threw. */
  end(failure?: unknown): void;
}

/** Who keeps the spans. */
export interface SpanKeeper {
  /** @param headers of the request that caused it: `traceparent` names the span of the caller. Default: it is a child of the span that is under way here */
  open(name: string, attributes: SpanAttributes, headers?: Readonly<Record<string, unknown>>): OpenSpan;
  /** Sends what is left, for a few seconds at most. */
  stop(): Promise<void>;
}

const NONE: Pick<OpenSpan, 'set'> = { set: () => undefined };

/** One for the process, as a trace crosses every layer of it; `null` = nobody wants to know. */
let keeper: SpanKeeper | null = null;

export function keepSpans(by: SpanKeeper | null): void {
  keeper = by;
}

/** Opens a span that ends elsewhere; `null` without tracing. */
export function openSpan(name: string, attributes: SpanAttributes, headers?: Readonly<Record<string, unknown>>): OpenSpan | null {
  return keeper?.open(name, attributes, headers) ?? null;
}

/** Runs the work as a span; without tracing, it runs it and nothing else. */
export function inSpan<T>(name: string, attributes: SpanAttributes, work: (span: Pick<OpenSpan, 'set'>) => Promise<T>): Promise<T> {
  const span = keeper?.open(name, attributes);
  return span === undefined ? work(NONE) : follow(span, work);
}

async function follow<T>(span: OpenSpan, work: (span: OpenSpan) => Promise<T>): Promise<T> {
  try {
    const result = await span.run(() => work(span));
    span.end();
    return result;
  } catch (error) {
    span.end(error);
    throw error;
  }
}
