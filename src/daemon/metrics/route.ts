/** `GET /metrics`: behind the gates and a key of scope read, as everything else. */
import type { Route } from '../http-server.ts';
import type { MetricsPage } from './page.ts';

export function metricsRoute(page: MetricsPage): Route {
  return {
    method: 'GET',
    path: /^\/metrics$/,
    scope: 'read',
    async handle(request, response) {
      const { contentType, text } = await page.read();
      response.writeHead(200, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(text) });
      response.end(request.method === 'HEAD' ? undefined : text);
    },
  };
}
