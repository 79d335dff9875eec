/** Where spans go, by the standard variables of OpenTelemetry. Without an endpoint nothing of it is even loaded. */
import type { Environment } from '../places.ts';

/** `ignored`: something is set that cannot be used; a clause for the log. As the standard has it, that stops nothing. */
export type TracingEndpoint = { readonly url: string } | { readonly ignored: string };

/**
 * OTEL_EXPORTER_OTLP_TRACES_ENDPOINT as it is, else OTEL_EXPORTER_OTLP_ENDPOINT with `/v1/traces`. Headers, timeout, compression and
 * certificates are read by the exporter itself, from the same environment.
 */
export function tracingEndpoint(env: Environment): TracingEndpoint | undefined {
  const read = (name: string): string | undefined => (env[name]?.trim() === '' ? undefined : env[name]?.trim());
  const whole = read('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT');
  const base = read('OTEL_EXPORTER_OTLP_ENDPOINT');
  const text = whole ?? base;
  if (text === undefined) return undefined;
  if (read('OTEL_SDK_DISABLED')?.toLowerCase() === 'true' || read('OTEL_TRACES_EXPORTER') === 'none') return undefined;
  const protocol = read('OTEL_EXPORTER_OTLP_TRACES_PROTOCOL') ?? read('OTEL_EXPORTER_OTLP_PROTOCOL');
  if (protocol === 'grpc') return { ignored: 'OTLP is spoken over HTTP alone: give its port, usually 4318, and leave the protocol out' };
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return { ignored: 'the endpoint is no http or https address' };
  if (whole === undefined) url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/traces`;
  return { url: url.href };
}
