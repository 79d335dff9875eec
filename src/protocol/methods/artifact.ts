/** Methods about the files that runs brought home. */
import { ASSET_KINDS } from '../assets.ts';
import { array, boolean, closed, described, integer, object, oneOf, optional, string } from '../schema.ts';
import type { Infer } from '../schema.ts';
import { ARTIFACT_KINDS } from '../views.ts';
import { method, runId, templateId } from './define.ts';
import { provenance } from './provenance.ts';
import { artifact } from './views.ts';

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

export const artifactGet = method({
  name: 'artifact/get',
  scope: 'read',
  mutation: false,
  description: 'One artifact with everything that made it, as it stands in the note beside the file; with `graph` also the graph as text.',
  params: closed({
    artifactId: described(string({ minLength: 1, maxLength: 100 }), 'Id of an artifact.'),
    graph: optional(described(boolean(), 'True: the graph that was sent, and the workflow in UI format where there is one.')),
  }),
  result: object({ artifact, provenance, graph: optional(text), workflow: optional(text) }),
  errors: ['ARTIFACT_NOT_FOUND', 'SNAPSHOT_REFUSED'],
});

export type ArtifactQueryParams = Infer<typeof artifactList.params>;
