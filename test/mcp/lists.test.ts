/** What an agent is shown: tools with the schemas of their templates, kept up to date, and results as resources. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Tool } from '@modelcontextprotocol/client';
import { Ajv2020 } from 'ajv/dist/2020.js';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { TOOLS } from '#cli/mcp/tools.ts';
import type { RunView } from '#protocol/views.ts';
import { ROOT } from '../e2e/run-cli.ts';
import { type Agent, PHOTO, startWorld, type World, writeTemplate } from './harness.ts';

// Agents start and end in many of them.
vi.setConfig({ testTimeout: 180_000 });

let world: World;
let agent: Agent;
beforeAll(async () => {
  world = await startWorld();
  agent = await world.agent();
});
afterAll(() => world.close());

const named = async (name: string): Promise<Tool | undefined> => (await agent.tools()).find((tool) => tool.name === name);
const names = async () => (await agent.tools()).map(({ name }) => name);
type Properties = Readonly<Record<string, Readonly<Record<string, unknown>>>>;
const propertiesOf = async (name: string) => (await named(name))?.inputSchema.properties as Properties;

describe('the list of tools', () => {
  it('has the tools of docs/mcp.md, then one for each template that can run', async () => {
    const listed = await names();
    expect(listed.slice(0, TOOLS.length)).toEqual(TOOLS.map(({ name }) => name));
    const own = listed.slice(TOOLS.length);
    for (const id of ['character-pipeline', 'pick-a-look', 'pixel-postcard', 'text-to-image-lora', 'with-choice'])
      expect(own).toContain(`run_${id}`);
    expect(own).not.toContain('run_unknown-node');
  });

  it('gives names and schemas that every client takes', async () => {
    const ajv = new Ajv2020({ strict: true, allowUnionTypes: false });
    for (const { name, description, inputSchema } of await agent.tools()) {
      expect(name).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
      expect(description).toMatch(/\S/);
      expect(inputSchema).toMatchObject({ type: 'object', additionalProperties: false });
      expect(() => ajv.compile(inputSchema)).not.toThrow();
      for (const property of Object.keys(inputSchema.properties ?? {})) expect(property).toMatch(/^[a-zA-Z0-9_.-]{1,64}$/);
    }
  });

  it.each([
    ['character/character-pipeline', 'run_character-pipeline'],
    ['image/pick-a-look', 'run_pick-a-look'],
    ['image/pixel-postcard', 'run_pixel-postcard'],
    ['image/text-to-image-lora', 'run_text-to-image-lora'],
  ])('has every parameter of %s with its title, bounds and default', async (folder, name) => {
    const manifest = JSON.parse(readFileSync(join(ROOT, 'templates', folder, 'template.json'), 'utf8')) as {
      readonly parameters: Properties;
    };
    const properties = await propertiesOf(name);
    expect(Object.keys(properties).toSorted()).toEqual([...Object.keys(manifest.parameters), 'run_options'].toSorted());
    const rules = ['title', 'minItems', 'maxItems', 'default', 'minimum', 'maximum', 'multipleOf'];
    // What the manifest says, null aside: that is the absence of a value.
    const said = (all: Properties) =>
      Object.entries(manifest.parameters).map(([parameter, definition]) => [
        parameter,
        ...rules.flatMap((rule) => ((definition[rule] ?? null) === null ? [] : [[rule, all[parameter]?.[rule]]])),
      ]);
    expect(said(properties)).toEqual(said(manifest.parameters));
  });

  it('says what a seed, a model and a picture are', async () => {
    const lora = await propertiesOf('run_text-to-image-lora');
    expect(lora['seed']).toMatchObject({
      anyOf: [{ type: 'integer', minimum: 0 }, { type: 'string' }],
      description: expect.stringContaining('Drawn when absent'),
    });
    expect(lora['checkpoint']).toMatchObject({ type: 'string', description: expect.stringContaining('folder checkpoints') });
    expect((await propertiesOf('run_pixel-postcard'))['photo']).toMatchObject({
      type: 'string',
      description: expect.stringContaining('callsheet://artifact/ID'),
    });
    expect((await named('run_pixel-postcard'))?.inputSchema.required).toEqual(['photo']);
  });

  it('holds only the templates that were asked for', async () => {
    const few = await world.agent(['--template', 'pixel-postcard', '--template', 'pick-a-look']);
    expect((await few.tools()).map(({ name }) => name).slice(TOOLS.length)).toEqual(['run_pick-a-look', 'run_pixel-postcard']);
    expect((await few.call('list_templates', { search: 'lora' })).text).toMatch(/^text-to-image-lora .* start_run$/m);
  });
});

describe.each(['legacy', 'auto'] as const)('while an agent is connected (%s)', (era) => {
  it('a template that appears, changes or goes is told, and the list has it', async () => {
    const id = `fresh-${era}`;
    const mine = await world.agent([], era);
    const listed = async () => (await mine.tools()).find(({ name }) => name === `run_${id}`);
    expect(await listed()).toBeUndefined();
    const told = async (times: number) => {
      await expect.poll(mine.changes).toBeGreaterThanOrEqual(times);
    };
    writeTemplate(world, id);
    await told(1);
    await expect.poll(async () => (await listed())?.title).toBe(`Template ${id}`);
    const seen = mine.changes();
    writeTemplate(world, id, 'sleep', { title: 'Another title', version: '1.1.0' });
    await told(seen + 1);
    await expect.poll(async () => (await listed())?.title).toBe('Another title');
    const before = mine.changes();
    rmSync(join(world.templates, id), { recursive: true });
    await told(before + 1);
    await expect.poll(listed).toBeUndefined();
  });
});

describe('templates', () => {
  it('are described with their parameters, and with the models of a backend', async () => {
    const plain = await agent.call('describe_template', { template: 'text-to-image-lora' });
    expect(plain.data).toMatchObject({ id: 'text-to-image-lora', runnable: true, models: {}, parameters: { properties: { seed: {} } } });
    const { data } = await agent.call('describe_template', { template: 'text-to-image-lora', backend: 'comfyui' });
    expect((data['models'] as Record<string, string[]>)['checkpoint']).toContain('sd_xl_base_1.0.safetensors');
  });

  it('are checked by id and by path, with every problem and its place', async () => {
    const broken = await agent.call('check_template', { template: 'unknown-node' });
    expect(broken.text).toMatch(/cannot run[\s\S]*:\d+:\d+ error NODE_CLASS_UNKNOWN/);
    const good = await agent.call('check_template', { path: join(ROOT, 'templates', 'image', 'pixel-postcard') });
    expect(good.text).toMatch(/can run/);
  });

  it('are listed with the tool that runs each, and what is wrong with the others', async () => {
    const { text } = await agent.call('list_templates');
    expect(text).toMatch(/^pixel-postcard 1\.0\.0 .* run_pixel-postcard$/m);
    const short = await agent.call('list_templates', { limit: 1 });
    expect(short.text).toMatch(/^.*\nand \d+ more: name a search$/);
    expect(text).toMatch(/^unknown-node .* cannot run, \d+ problems: check_template$/m);
  });
});

describe('backends', () => {
  it('are listed with their state, and free their memory', async () => {
    const { text, data } = await agent.call('list_backends');
    expect(text).toMatch(/^comfyui \(comfyui\): ready/m);
    expect(data['queue']).toMatchObject({ paused: false });
    expect((await agent.call('free_backend', { backend: 'comfyui' })).failed).toBe(false);
    expect((await agent.call('free_backend', { backend: 'farm' })).text).toContain('BACKEND_NOT_FOUND');
  });
});

describe('results', () => {
  let run: RunView;
  beforeAll(async () => {
    run = (await agent.call('run_pixel-postcard', { photo: PHOTO })).run;
  });

  it('are resources: listed, read byte for byte, and described by templates', async () => {
    const [artifact] = run.artifacts;
    const uri = `callsheet://artifact/${artifact?.artifactId}`;
    const { resources } = await agent.client.listResources();
    expect(resources.find((one) => one.uri === uri)).toMatchObject({ mimeType: 'image/png', size: artifact?.bytes });
    const { contents } = await agent.client.readResource({ uri });
    const [content] = contents;
    const bytes = Buffer.from(content !== undefined && 'blob' in content ? content.blob : '', 'base64');
    expect(bytes.equals(readFileSync(artifact?.path ?? ''))).toBe(true);
    expect(await sharp(bytes).metadata()).toMatchObject({ width: 720, height: 560 });
    const { resourceTemplates } = await agent.client.listResourceTemplates();
    expect(resourceTemplates.map(({ uriTemplate }) => uriTemplate)).toEqual([
      'callsheet://artifact/{artifactId}',
      'callsheet://run/{runId}',
    ]);
  });

  it('have the run as JSON', async () => {
    const { contents } = await agent.client.readResource({ uri: `callsheet://run/${run.runId}` });
    const [content] = contents;
    expect(JSON.parse(content !== undefined && 'text' in content ? content.text : '')).toMatchObject({
      runId: run.runId,
      status: 'succeeded',
      steps: [{ attempts: [{}] }],
    });
  });

  it('say what made them', async () => {
    const { artifactId } = run.artifacts[0] ?? {};
    const told = await agent.call('get_artifact', { artifact_id: artifactId });
    expect(told.data).toMatchObject({ artifact: { artifactId }, provenance: { template: 'pixel-postcard' } });
    expect(told.content.map(({ type }) => type)).toEqual(['text', 'image', 'resource_link']);
    expect((await agent.call('list_artifacts', { run_id: run.runId })).text).toContain(`callsheet://artifact/${artifactId}`);
  });

  it.each([
    ['callsheet://artifact/none', /ARTIFACT_NOT_FOUND/],
    ['callsheet://run/none', /RUN_NOT_FOUND/],
    ['callsheet://artifact/../../etc/passwd', /can be read/],
    ['file:///etc/passwd', /can be read/],
  ])('refuse what is none of them: %s', async (uri, words) => {
    await expect(agent.client.readResource({ uri })).rejects.toThrow(words);
  });
});
