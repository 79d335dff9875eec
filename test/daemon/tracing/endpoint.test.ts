import { describe, expect, it } from 'vitest';
import { tracingEndpoint } from '#daemon/tracing/endpoint.ts';

describe('the endpoint of traces', () => {
  it.each([
    [{}, undefined],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, undefined],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' }, { url: 'http://127.0.0.1:4318/v1/traces' }],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://host/otlp/' }, { url: 'https://host/otlp/v1/traces' }],
    [{ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://host/as-it-is' }, { url: 'http://host/as-it-is' }],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://b/traces' }, { url: 'http://b/traces' }],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_SDK_DISABLED: 'true' }, undefined],
    [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a', OTEL_TRACES_EXPORTER: 'none' }, undefined],
  ])('of %j is %j', (env, endpoint) => {
    expect(tracingEndpoint(env)).toEqual(endpoint);
  });

  it.each([
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'nowhere' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'ftp://host' },
    { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://a:4317', OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' },
  ])('that cannot be used is said to be ignored: %j', (env) => {
    expect(tracingEndpoint(env)).toHaveProperty('ignored');
  });
});
