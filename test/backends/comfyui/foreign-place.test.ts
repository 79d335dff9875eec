import { describe, expect, it } from 'vitest';
import { withoutOwnPlaces } from '#backends/comfyui/foreign-place.ts';
import { buildPrompt } from '#backends/comfyui/prompt.ts';
import { canonicalHash } from '#graph/hash.ts';

const PROMPT_ID = '4200a5f9-54b8-50e6-80af-4675d2e30786';
const text = `{ "1": {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "shots/hero", "seed": 18446744073709551615}},
  "2": {"class_type": "EmptyImage", "inputs": {"note": "callsheet/${PROMPT_ID}/stays"}} }`;

describe('a graph that ComfyUI wrote into a file', () => {
  it('is the one that was rendered again, without the folder that the attempt had', () => {
    const attempt = { runId: 'r', step: 's', item: 0, attempt: 1, promptId: PROMPT_ID, backendId: 'b' };
    const { body } = buildPrompt(attempt, { kind: 'comfyui', text } as never, 'client');
    const [, sent = ''] = /"prompt":(.*),"client_id"/s.exec(body) ?? [];
    expect(sent).toContain(`callsheet/${PROMPT_ID}/shots/hero`);
    expect(withoutOwnPlaces(sent)).toBe(text);
    expect(canonicalHash(withoutOwnPlaces(sent))).toBe(canonicalHash(text));
  });

  it('is left alone where there is nothing of ours', () => {
    for (const other of [text, text.replace('shots/hero', 'callsheet/hero'), 'callsheet/ no graph'])
      expect(withoutOwnPlaces(other)).toBe(other);
  });
});
