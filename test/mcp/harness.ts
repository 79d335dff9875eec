/** The SDK's own client against the real `callsheet mcp` over pipes, beside a real daemon whose sandbox counts what it executes. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CallToolResult, Client, type ContentBlock, type Progress, type Tool } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { startSandbox } from '#backends/sandbox/server.ts';
import type { Sandbox } from '#backends/sandbox/options.ts';
import type { RunView } from '#protocol/views.ts';
import { CACHE, type Cli, freshPlace, ROOT, startCli } from '../e2e/run-cli.ts';

export const FIXTURES = join(ROOT, 'test', 'fixtures', 'templates');
export const PHOTO = join(ROOT, 'templates', 'image', 'pixel-postcard', 'example.png');

/** `auto` speaks the protocol of 2026, `legacy` that of 2025 with its handshake. */
export type Era = 'auto' | 'legacy';

export interface Agent {
  readonly client: Client;
  tools(): Promise<Tool[]>;
  call(name: string, given?: Record<string, unknown>, options?: CallOptions): Promise<Told>;
  /** How often the list of tools was said to be another one. */
  readonly changes: () => number;
  readonly stderr: () => string;
  close(): Promise<void>;
}

interface CallOptions {
  readonly onprogress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
  readonly timeout?: number;
}

/** A result, taken apart. */
export interface Told {
  readonly text: string;
  readonly failed: boolean;
  readonly run: RunView;
  readonly data: Readonly<Record<string, unknown>>;
  readonly content: readonly ContentBlock[];
}

/** What the one step does: it takes its time, or fails. */
type Middle = 'sleep' | 'fail';

export interface World {
  readonly folder: string;
  readonly templates: string;
  readonly env: Readonly<Record<string, string>>;
  readonly sandbox: Sandbox;
  daemon: Cli;
  /** The same daemon again, as somebody would start it. */
  startDaemon(): Promise<void>;
  agent(argv?: readonly string[], era?: Era): Promise<Agent>;
  close(): Promise<void>;
}

/** `own`: templates of ours that are there from the start, as `writeTemplate` makes them. */
export async function startWorld(own: Readonly<Record<string, Middle>> = {}): Promise<World> {
  const { folder, env } = freshPlace();
  const templates = join(folder, 'templates');
  mkdirSync(templates, { recursive: true });
  for (const [id, middle] of Object.entries(own)) writeTemplate({ templates }, id, middle);
  const sandbox = await startSandbox({ dir: join(folder, 'sandbox'), latencyMs: 5 });
  const argv = [
    'daemon',
    '--json',
    '--backend',
    `comfyui=${sandbox.url}`,
    '--templates',
    templates,
    '--templates',
    FIXTURES,
    '--root',
    folder,
  ];
  const agents: Agent[] = [];
  const start = async () => {
    const daemon = startCli([...argv, '--root', join(ROOT, 'templates')], env);
    await daemon.line((text) => text.includes('"ready"'));
    return daemon;
  };
  const world: World = {
    folder,
    templates,
    env,
    sandbox,
    daemon: await start(),
    async startDaemon() {
      world.daemon = await start();
    },
    async agent(more = [], era = 'legacy') {
      const agent = await startAgent(env, more, era);
      agents.push(agent);
      return agent;
    },
    async close() {
      for (const agent of agents) await agent.close();
      world.daemon.kill('SIGTERM');
      await world.daemon.ended;
      await sandbox.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return world;
}

export async function startAgent(env: Readonly<Record<string, string>>, argv: readonly string[], era: Era): Promise<Agent> {
  let changes = 0;
  let stderr = '';
  const transport = new StdioClientTransport({
    command: join(ROOT, 'bin', 'callsheet'),
    args: ['mcp', ...argv],
    env: { PATH: process.env['PATH'] ?? '', NODE_COMPILE_CACHE: CACHE, ...env },
    cwd: env['HOME'] ?? ROOT,
    stderr: 'pipe',
  });
  transport.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const onChanged = () => {
    changes += 1;
  };
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    { versionNegotiation: { mode: era }, listChanged: { tools: { onChanged, autoRefresh: false } } },
  );
  await client.connect(transport);
  return {
    client,
    changes: () => changes,
    stderr: () => stderr,
    tools: async () => (await client.listTools()).tools,
    async call(name, given = {}, options = {}) {
      const result = await client.callTool({ name, arguments: given }, { timeout: 120_000, ...options });
      return told(result);
    },
    close: () => client.close(),
  };
}

function told(result: CallToolResult): Told {
  const { content, structuredContent, isError } = result;
  const data = structuredContent as Readonly<Record<string, unknown>>;
  const text = content.flatMap((block) => (block.type === 'text' ? [block.text] : [])).join('\n');
  return { text, failed: isError === true, run: data['run'] as RunView, data, content };
}

const node = (class_type: string, inputs: object) => ({ class_type, inputs });

/** A template of one step: a picture of a colour, held up in its middle for `paces` times 5 ms, or failing there. */
export function writeTemplate(world: Pick<World, 'templates'>, id: string, middle: Middle = 'sleep', more: object = {}): void {
  const folder = join(world.templates, id);
  mkdirSync(folder, { recursive: true });
  const graph = {
    1: node('EmptyImage', { width: 64, height: 48, batch_size: 1, color: 255 }),
    2:
      middle === 'sleep'
        ? node('SandboxSleep', { value: ['1', 0], steps: 1 })
        : node('SandboxFail', { value: ['1', 0], message: 'no such luck' }),
    3: node('SaveImage', { images: ['2', 0], filename_prefix: id }),
  };
  const manifest = {
    format: 1,
    id,
    version: '1.0.0',
    title: `Template ${id}`,
    parameters: {
      colour: { type: 'integer', title: 'Colour', default: 255 },
      paces: { type: 'integer', minimum: 1, maximum: 100_000, default: 1 },
    },
    steps: [
      {
        id: 'only',
        workflow: 'graph.json',
        set: { '1.color': '{colour}', ...(middle === 'sleep' ? { '2.steps': '{paces}' } : {}) },
        outputs: { picture: '3' },
      },
    ],
    ...more,
  };
  writeFileSync(join(folder, 'graph.json'), JSON.stringify(graph));
  writeFileSync(join(folder, 'template.json'), JSON.stringify(manifest));
}
