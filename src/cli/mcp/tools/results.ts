/** Tools about files that runs brought home, and about the backends that make them. */
import { closed, described, integer, oneOf, optional, string } from '#protocol/schema.ts';
import { ARTIFACT_KINDS } from '#protocol/views.ts';
import { safeText } from '../../format.ts';
import { artifactLine } from '../../show-run.ts';
import { artifactLink, pictures } from '../run-answer.ts';
import { onceKey } from '../start.ts';
import { CHANGES, READS, tool, type Tool } from '../tool.ts';
import { artifactUri, runUri } from '../uris.ts';

const listArtifacts = tool({
  name: 'list_artifacts',
  title: 'List results',
  description: 'Files that runs made, newest first, as paths and resources.',
  annotations: READS,
  input: closed({
    run_id: optional(described(string({ minLength: 1, maxLength: 64 }), 'Only those of this run.')),
    template: optional(described(string({ minLength: 1, maxLength: 64 }), 'Only those of this template.')),
    kind: optional(described(oneOf(ARTIFACT_KINDS), 'Only files of this kind.')),
    limit: optional(described(integer({ minimum: 1, maximum: 100 }), '20 when absent.')),
    before: optional(described(string({ minLength: 1, maxLength: 200 }), '`next` of the page before.')),
  }),
  async run({ run_id: runId, limit = 20, ...rest }, { link }) {
    const page = await link.call('artifact/list', { limit, ...(runId === undefined ? {} : { runId }), ...rest });
    const lines = page.artifacts.map((artifact) => `${artifactLine(artifact)}  ${artifact.mediaType}  ${artifactUri(artifact.artifactId)}`);
    const more = page.next === undefined ? [] : [`There are more: before "${page.next}".`];
    return {
      text: lines.length === 0 ? ['There are no such files.'] : [...lines, ...more],
      data: { ...page },
      more: page.artifacts.map(artifactLink),
    };
  },
});

const getArtifact = tool({
  name: 'get_artifact',
  title: 'Look at a result',
  description: 'One file with what made it: template, values, seed, backend, models. A picture is shown, scaled down where it is large.',
  annotations: READS,
  input: closed({
    artifact_id: described(string({ minLength: 1, maxLength: 100 }), 'Id of an artifact: the end of callsheet://artifact/ID.'),
  }),
  async run({ artifact_id: artifactId }, context) {
    const { artifact, provenance } = await context.link.call('artifact/get', { artifactId });
    const text = [
      `${artifactLine(artifact)}  ${artifact.mediaType}`,
      `output ${artifact.output} of step ${artifact.step}, run ${artifact.runId} (${runUri(artifact.runId)})`,
      `provenance: ${JSON.stringify(provenance)}`,
    ];
    return { text, data: { artifact, provenance }, more: [...(await pictures([artifact], context)), artifactLink(artifact)] };
  },
});

const listBackends = tool({
  name: 'list_backends',
  title: 'List backends',
  description: 'The backends that execute steps: whether they answer, how much waits there, and whether the queue is paused.',
  annotations: READS,
  input: closed({}),
  async run(_, { link }) {
    const [{ backends }, { queue }] = await Promise.all([link.call('backend/list', {}), link.call('daemon/status', {})]);
    const lines = backends.map(({ id, kind, status, queueRemaining, draft, error }) => {
      const load = queueRemaining === undefined ? '' : `, ${queueRemaining} in its queue`;
      return `${id} (${kind}${draft ? ', drafts only' : ''}): ${status}${load}${error === undefined ? '' : `: ${safeText(error.message)}`}`;
    });
    const paused = queue.paused ? ['The queue is paused by a person: nothing begins until they resume it.'] : [];
    return { text: [...(lines.length === 0 ? ['No backend is configured.'] : lines), ...paused], data: { backends, queue } };
  },
});

const freeBackend = tool({
  name: 'free_backend',
  title: 'Free a backend',
  description: 'Asks a backend to unload its models and empty its caches between two prompts, e.g. after it ran out of memory.',
  annotations: CHANGES,
  input: closed({ backend: described(string({ minLength: 1, maxLength: 64 }), 'Id of a backend.') }),
  async run({ backend: id }, { link }) {
    const answer = await link.call('backend/free', { id, requestKey: onceKey() });
    return { text: [`The backend ${id} was asked to free its memory.`], data: { ...answer } };
  },
});

export const RESULT_TOOLS: readonly Tool[] = [listArtifacts, getArtifact, listBackends, freeBackend];
