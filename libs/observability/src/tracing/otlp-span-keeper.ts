import { context, isSpanContextValid, ROOT_CONTEXT, SpanStatusCode, trace, type Context, type Span } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, BatchSpanProcessor, ParentBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import type { OpenSpan, SpanAttributes, SpanKeeper } from './spans.js';

/** W3C Trace Context: version, trace, span, flags; later versions may add more. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
/** Whoever stops does not wait longer for a collector that is away. */
const STOP_TIMEOUT_MS = 3_000;

/** Sends spans to an OpenTelemetry collector, as JSON over HTTP, in the background. A collector that is away costs its spans and nothing else. */
export class OtlpSpanKeeper implements SpanKeeper {
  private readonly provider: TracerProvider;
  private readonly tracer;

  /** @param endpoint base address of the collector; `/v1/traces` is added */
  constructor(endpoint: string, serviceName: string) {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    this.provider = new TracerProvider({
      resource: resourceFromAttributes({ 'service.name': serviceName }),
      // A caller that does not sample its trace has no use for our part of it.
      sampler: new ParentBasedSampler({ root: new AlwaysOnSampler() }),
      spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` }) })],
    });
    this.tracer = this.provider.getTracer(serviceName);
  }

  open(name: string, attributes: SpanAttributes, headers?: Readonly<Record<string, unknown>>): OpenSpan {
    const parent = headers === undefined ? context.active() : contextOf(headers['traceparent']);
    const span = this.tracer.startSpan(name, { attributes: { ...attributes } }, parent);
    return new ContextSpan(span, trace.setSpan(parent, span));
  }

  async stop(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, STOP_TIMEOUT_MS);
    });
    await Promise.race([this.provider.shutdown().catch(() => undefined), patience]);
    clearTimeout(timer);
    context.disable();
  }
}

class ContextSpan implements OpenSpan {
  constructor(
    private readonly span: Span,
    private readonly own: Context,
  ) {}

  run<T>(work: () => T): T {
    return context.with(this.own, work);
  }

  set(attributes: SpanAttributes): void {
    this.span.setAttributes({ ...attributes });
  }

  end(failure?: unknown): void {
    if (failure !== undefined) {
      // Its name or code: a message may quote what somebody wrote.
      this.span.setAttribute('error.type', kindOf(failure));
      this.span.setStatus({ code: SpanStatusCode.ERROR });
    }
    this.span.end();
  }
}

function contextOf(traceparent: unknown): Context {
  const [, traceId = '', spanId = '', flags = ''] = TRACEPARENT.exec(typeof traceparent === 'string' ? traceparent : '') ?? [];
  const caller = { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & 1, isRemote: true };
  return isSpanContextValid(caller) ? trace.setSpanContext(ROOT_CONTEXT, caller) : ROOT_CONTEXT;
}

function kindOf(failure: unknown): string {
  if (typeof failure === 'object' && failure !== null) {
    for (const key of ['code', 'kind', 'name'] as const) {
      const value = (failure as Record<string, unknown>)[key];
      if (typeof value === 'string' || typeof value === 'number') return String(value);
    }
  }
  return 'error';
}
