/** Addresses of what Callsheet has, as MCP resources. */

export const ARTIFACT_TEMPLATE = 'callsheet://artifact/{artifactId}';
export const RUN_TEMPLATE = 'callsheet://run/{runId}';

export const artifactUri = (artifactId: string): string => `callsheet://artifact/${artifactId}`;
export const runUri = (runId: string): string => `callsheet://run/${runId}`;

export interface Address {
  readonly kind: 'artifact' | 'run';
  readonly id: string;
}

/** Undefined when it is no address of ours. */
export function parseUri(uri: string): Address | undefined {
  const match = /^callsheet:\/\/(artifact|run)\/([\w-]{1,100})$/.exec(uri);
  return match === null ? undefined : { kind: match[1] as Address['kind'], id: match[2] ?? '' };
}
