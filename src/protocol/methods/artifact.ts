/** Methods about the files that runs brought home. */
import { ASSET_KINDS } from '../assets.ts';
import { array, boolean, closed, described, integer, object, oneOf, optional, string } from '../schema.ts';
import type { Infer } from '../schema.ts';
import { ARTIFACT_KINDS } from '../views.ts';
import { method, runId, templateId } from './define.ts';
import { provenance } from './provenance.ts';
import { artifact, errorData } from './views.ts';

const name = (description: string) => optional(described(string({ minLength: 1, maxLength: 200 }), description));
const milliseconds = (description: string) => optional(described(integer({ minimum: 0 }), description));

export const artifactList = method({
  name: 'artifact/list',
  scope: 'read',
  mutation: false,
  description:
    'Artifacts, newest first. Every filter that is given must hold. `next` is there when there are more: it is the `before` of the page after.',
  params: closed({
    runId: optional(runId),
    template: optional(templateId),
    step: name('Id of a step.'),
    output: name('Name of an output of the step, or of the template.'),
    kind: optional(oneOf(ARTIFACT_KINDS)),
    mediaType: name('`image/png`, or `image/*`.'),
    asset: optional(described(oneOf(ASSET_KINDS), 'What it becomes in Blender.')),
    since: milliseconds('Brought home then or later, in milliseconds since 1970.'),
    until: milliseconds('Brought home before.'),
    draft: optional(boolean()),
    limit: optional(integer({ minimum: 1, maximum: 1000 })),
    before: name('`next` of the page before, or an artifactId.'),
  }),
  result: object({ artifacts: array(artifact), next: optional(string()) }),
  errors: ['RUN_NOT_FOUND'],
});

const text = object({ sha256: string(), text: string() });

const embedded = object({
  readable: described(boolean(), 'False: files of this kind are not looked into, or this one could not be; `error` says why.'),
  workflows: array(
    object({
      format: described(oneOf(['api', 'ui', 'wan2gp']), 'ComfyUI graph in API form, workflow in UI form, or settings of Wan2GP.'),
      key: string(),
      bytes: integer({ minimum: 0 }),
      text: optional(described(string(), 'As it stands in the file; left out when it is longer than an answer takes.')),
    }),
  ),
  texts: array(object({ key: string(), bytes: integer({ minimum: 0 }), text: optional(string()) })),
  leftOut: described(array(string()), 'Names of texts that are damaged, cut short or too long.'),
  draft: described(boolean(), 'It says of itself that the sandbox drew it.'),
  error: optional(errorData),
});

export type EmbeddedView = Infer<typeof embedded>;

export const artifactGet = method({
  name: 'artifact/get',
  scope: 'read',
  mutation: false,
  description:
    'One artifact with everything that made it, as it stands in the note beside the file; with `graph` also the graph as text, with `embedded` also what the file carries.',
  params: closed({
    artifactId: described(string({ minLength: 1, maxLength: 100 }), 'Id of an artifact.'),
    graph: optional(described(boolean(), 'True: the graph that was sent, and the workflow in UI format where there is one.')),
    embedded: optional(described(boolean(), 'True: what the file itself carries, read from it now.')),
  }),
  result: object({ artifact, provenance, graph: optional(text), workflow: optional(text), embedded: optional(embedded) }),
  errors: ['ARTIFACT_NOT_FOUND', 'SNAPSHOT_REFUSED'],
});
