/** The table of HTTP routes beside the WebSocket: what docs/protocol.md says of them. A test holds the daemon's own routes to it. */
import type { MethodScope } from './methods/define.ts';

export interface RouteFacts {
  /** Method and path, with variable parts in braces. */
  readonly route: string;
  readonly scope: MethodScope;
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
    description: 'the file; pictures, films and sounds to be shown, everything else (SVG and HTML too) to be saved',
  },
];
