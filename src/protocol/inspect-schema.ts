/** Schema of inspection messages. The compiler holds it against their interface in inspect.ts; what machines hold is of any shape. */
import type { InspectMessage } from './inspect.ts';
import { array, described, integer, json, nothing, object, optional, string, tagged } from './schema.ts';
import type { Schema } from './schema.ts';

const inspected = {
  runId: string(),
  sessionId: string(),
  rootId: string(),
  id: nothing(),
  createdAt: described(string(), 'Milliseconds since 1970, as text.'),
  _version: string(),
};

export const inspectMessage: Schema<InspectMessage, false> = tagged<InspectMessage>({
  '@xstate.actor': object({
    ...inspected,
    name: string(),
    parentId: optional(string()),
    definition: string(),
    snapshot: json(),
    closedAt: optional(integer()),
  }),
  '@xstate.event': object({ ...inspected, event: json(), sourceId: optional(string()) }),
  '@xstate.snapshot': object({ ...inspected, event: json(), snapshot: json() }),
  '@xstate.microstep': object({
    ...inspected,
    event: json(),
    value: json(),
    transitions: array(object({ eventType: string(), source: string(), targets: array(string()) })),
  }),
  '@xstate.action': object({ ...inspected, action: json() }),
  'callsheet.skipped': object({ count: integer({ minimum: 1 }) }),
});
