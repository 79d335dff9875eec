import { expect, it } from 'vitest';
import { whyNoGraph } from '#cli/no-graph.ts';

it('blames an older Callsheet for a graph that is not known only where nothing else is known', () => {
  const cachedFrom = { runId: 'r', artifactId: 'a' };
  expect(whyNoGraph({ artifact: { cachedFrom }, provenance: {} })).toMatch(/^the file was taken from the result cache, which did not keep/);
  expect(whyNoGraph({ artifact: { cachedFrom }, provenance: { graph: 'hash' } })).toBe('its text is lost.');
  expect(whyNoGraph({ artifact: {}, provenance: {} })).toMatch(/^it was made by a Callsheet that kept none yet, or/);
});
