/** Media of other people with workflows inside, where the corpus is there: CALLSHEET_CORPUS names its folder. Most are under the GPL and stay where they are. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createInspector } from '#results/inspect/inspector.ts';

const MEDIA = join(process.env['CALLSHEET_CORPUS'] ?? '', 'media');

/** What the program that wrote each of them put in. */
const TRUTH: Readonly<Record<string, string>> = {
  'examples--lora-lora.png': 'api prompt, ui workflow',
  'examples--lora-lora_multiple.png': 'api prompt, ui workflow',
  'fe--edited_workflow.webp': 'api prompt, ui workflow',
  'fe--large_workflow.webp': 'api prompt, ui workflow',
  'fe--no_workflow.webp': '',
  'fe--workflow.avif': 'api Prompt, ui Workflow',
  'fe--workflow.glb': 'api prompt, ui workflow',
  'fe--workflow.m4v': 'api prompt, ui workflow',
  'fe--workflow.mov': 'api prompt, ui workflow',
  'fe--workflow.mp4': 'api prompt, ui workflow',
  'fe--workflow.svg': 'api prompt, ui workflow',
  'fe--workflow.webm': 'api PROMPT, ui WORKFLOW',
  'fe--workflow.webp': 'api prompt, ui workflow',
  'fe--workflow_itxt.png': 'ui workflow',
  'fe--workflow_prompt_parameters.png': 'api prompt',
};

describe('media of the corpus', () => {
  it('give back the workflows that are in them, through the child', async ({ skip }) => {
    const isThere = process.env['CALLSHEET_CORPUS'] !== undefined && existsSync(MEDIA);
    if (!isThere) process.stderr.write('\n!! Media of the corpus were NOT read: set CALLSHEET_CORPUS to its folder to do so.\n\n');
    skip(!isThere, 'there is no corpus');
    const inspector = createInspector();
    onTestFinished(() => inspector.close());
    const found: Record<string, string> = {};
    for (const file of readdirSync(MEDIA)) {
      const { workflows } = await inspector.inspect(join(MEDIA, file));
      found[file] = (['api', 'ui', 'wan2gp'] as const)
        .flatMap((format) => (workflows[format] === undefined ? [] : [`${format} ${workflows[format].key}`]))
        .join(', ');
    }
    expect(found).toEqual(TRUTH);
  });
});
