/** The table of HTTP routes beside the WebSocket: what docs/protocol.md says of them. A test holds the daemon's own routes to it. */
import type { MethodScope } from './methods/define.ts';

export interface RouteFacts {
  /** Method and path, with variable parts in braces. */
  readonly route: string;
  /** `session`: only for a page of the daemon's own, whatever key there is; `open`: for everybody who passes the gates. */
  readonly scope: MethodScope | 'session' | 'open';
  readonly description: string;
}

export const ROUTES: readonly RouteFacts[] = [
  {
    route: 'GET /healthz',
    scope: 'read',
    description:
      '`{"ok":true,"storage":{"status":…}}`: `ready`, or `busy` or `failed` with `seconds`, `message` and `hint`, which pass by themselves',
  },
  {
    route: 'GET /metrics',
    scope: 'read',
    description: "figures in Prometheus' text format ([observability.md](observability.md#metrics))",
  },
  {
    route: 'POST /uploads',
    scope: 'run',
    description:
      'body: the bytes, `Content-Type: application/octet-stream` exactly; `Callsheet-Name`: the file\'s name, percent-encoded. Answers 201 `{"assetId": sha256}`; use it as `asset:ID`',
  },
  { route: 'GET /assets/{id}', scope: 'run', description: 'an upload, or what an export packed, to be saved' },
  {
    route: 'GET /artifacts/{id}',
    scope: 'read',
    description:
      'the file, or the one range of it that is asked for; pictures, films and sounds to be shown, everything else (SVG and HTML too) to be saved',
  },
  { route: 'GET /open', scope: 'open', description: 'the page that trades a code for a session ([Browsers](#browsers))' },
  { route: 'GET /open.js', scope: 'open', description: 'its script' },
  {
    route: 'POST /session',
    scope: 'open',
    description: 'body `{"code"}`; the cookie of a session, and `{"page"}`, the secret of its pages',
  },
  { route: 'DELETE /session', scope: 'session', description: 'ends it; 204' },
  { route: 'POST /session/ticket', scope: 'session', description: 'body `{}`; `{"ticket"}` for one WebSocket' },
  { route: 'GET /', scope: 'read', description: 'the dashboard; `ETag`, 304' },
  { route: 'GET /dashboard/{file}', scope: 'read', description: 'its files; `ETag`, 304' },
];
