/** Hands spans to OpenTelemetry. This file loads its packages, so it is itself loaded with the first span and not before. */
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, TraceFlags } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, BatchSpanProcessor, type SpanExporter, TracerProvider } from '@opentelemetry/sdk-trace';
import type { SpanRecord } from './span-of.ts';

export interface Exporter {
  add(span: SpanRecord): void;
  /** Sends what is left. */
  close(): Promise<void>;
}

export interface ExporterOptions {
  readonly url: string;
  readonly version: string;
  readonly instance: string;
  /** A batch of spans was not taken; they are gone. */
  readonly onFailure: (error: unknown) => void;
}

/** Milliseconds between two batches. */
const SEND_EVERY_MS = 2000;
/** A sentence for people, not a report. */
const MESSAGE_CAP = 1000;

export function createExporter({ url, version, instance, onFailure }: ExporterOptions): Exporter {
  const exporter = heard(new OTLPTraceExporter({ url }), onFailure);
  // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES win over what is said here.
  const own = { 'service.name': 'callsheet', 'service.version': version, 'service.instance.id': instance };
  const resource = defaultResource()
    .merge(resourceFromAttributes(own))
    .merge(detectResources({ detectors: [envDetector] }));
  /** Of the span that is being made: ids are not drawn, they follow from the run. */
  let ids = { traceId: '', spanId: '' };
  const provider = new TracerProvider({
    resource,
    sampler: new AlwaysOnSampler(),
    idGenerator: { generateTraceId: () => ids.traceId, generateSpanId: () => ids.spanId },
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: SEND_EVERY_MS })],
  });
  const tracer = provider.getTracer('callsheet', version);

  return {
    add({ name, traceId, spanId, parentId, linkedId, from, until, isRemote, attributes, error }) {
      ids = { traceId, spanId };
      const contextOf = (id: string) => ({ traceId, spanId: id, traceFlags: TraceFlags.SAMPLED });
      const span = tracer.startSpan(
        name,
        {
          startTime: from,
          kind: isRemote ? SpanKind.CLIENT : SpanKind.INTERNAL,
          attributes: { ...attributes, ...(error === undefined ? {} : { 'error.type': error.code }) },
          ...(linkedId === undefined ? {} : { links: [{ context: contextOf(linkedId) }] }),
        },
        parentId === undefined ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, contextOf(parentId)),
      );
      if (error !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: error.message.slice(0, MESSAGE_CAP) });
      span.end(until);
    },
    close: () => provider.shutdown(),
  };
}

// --- helpers ---

/** The same exporter; what it could not send is told. */
function heard(exporter: SpanExporter, onFailure: (error: unknown) => void): SpanExporter {
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        if (result.error !== undefined) onFailure(result.error);
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
    forceFlush: async () => exporter.forceFlush?.(),
  };
}
