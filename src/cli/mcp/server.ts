/** The MCP server: tools and resources of one daemon over one pair of pipes. */
import { Server, type ServerContext, type Tool as ListedTool } from '@modelcontextprotocol/server';
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { VERSION } from '#daemon/version.ts';
import { callTool } from './call-tool.ts';
import { listResources, readResource, RESOURCE_TEMPLATES } from './resources.ts';
import { MAKES, type ToolContext } from './tool.ts';
import { TOOLS } from './tools.ts';

/** Changes that come together are told as one: milliseconds. */
const SETTLE_MS = 200;

const INSTRUCTIONS = [
  'Callsheet executes templates (ComfyUI and other workflows) on this machine and gives pictures, films, sounds and 3D files.',
  'Each template that can run is a tool run_ID with its parameters. A call waits for the end; when it answers before, the run goes on: wait for it with watch_run.',
  'A run that asks for a choice shows its candidates: answer with choose.',
  'The same call again joins the run that it began until you were told its end; for another variation change a value such as the seed.',
  'Results are files on this machine, given as path and as resource. "Draft" means that the sandbox drew a card instead of generating.',
].join(' ');

export interface Serving {
  /** Resolves when the client is gone. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

export function serve(context: ToolContext, say: (text: string) => void): Serving {
  const gone = Promise.withResolvers<void>();
  /** One, or two where the client first asked which protocol is spoken. */
  const servers = new Set<Server>();
  const transport = new StdioServerTransport();
  const listing = createListing(context);
  const handle = serveStdio(
    () => {
      const server = createServer(context, listing);
      servers.add(server);
      return server;
    },
    { transport, onerror: (error) => say(error.message) },
  );
  process.stdin.once('end', gone.resolve);
  process.stdin.once('close', gone.resolve);

  const tell = (send: (server: Server) => Promise<void>) => {
    // A client that has not opened its session yet will ask by itself.
    for (const server of servers) send(server).catch(() => undefined);
  };
  const tools = soon(async () => {
    if (await listing.changed()) tell((server) => server.sendToolListChanged());
  });
  const resources = soon(async () => tell((server) => server.sendResourceListChanged()));
  const stop = context.link.listen({ listed: (what) => (what === 'templates' ? tools : resources)() });
  return {
    closed: gone.promise,
    async close() {
      stop();
      await handle.close();
    },
  };
}

// --- helpers ---

interface Listing {
  tools(): Promise<ListedTool[]>;
  /** True when the list is another one than was handed out last. */
  changed(): Promise<boolean>;
}

function createListing({ catalogue }: ToolContext): Listing {
  let told: string | undefined;
  const read = async (): Promise<ListedTool[]> => {
    // Without a daemon the tools that are always there say what is wrong when they are called.
    const templates = await catalogue.tools().catch(() => []);
    const fixed = TOOLS.map(({ name, title, description, annotations, input }) => ({
      name,
      title,
      description,
      annotations,
      inputSchema: input.json as ListedTool['inputSchema'],
    }));
    const own = templates.map(({ name, title, description, inputSchema }) => ({
      name,
      title,
      description,
      annotations: MAKES,
      inputSchema: inputSchema as ListedTool['inputSchema'],
    }));
    return [...fixed, ...own];
  };
  return {
    async tools() {
      const list = await read();
      told = JSON.stringify(list);
      return list;
    },
    async changed() {
      const now = JSON.stringify(await read());
      if (told === undefined || now === told) return false;
      told = now;
      return true;
    },
  };
}

function createServer(context: ToolContext, listing: Listing): Server {
  const server = new Server(
    { name: 'callsheet', title: 'Callsheet', version: VERSION },
    { capabilities: { tools: { listChanged: true }, resources: { listChanged: true } }, instructions: INSTRUCTIONS },
  );
  server.setRequestHandler('tools/list', async () => ({ tools: await listing.tools() }));
  server.setRequestHandler('tools/call', ({ params }, ctx) =>
    callTool(params.name, params.arguments ?? {}, context, { signal: ctx.mcpReq.signal, onProgress: progressOf(ctx) }),
  );
  server.setRequestHandler('resources/list', ({ params }) => listResources(context.link, params?.cursor));
  server.setRequestHandler('resources/templates/list', () => ({ resourceTemplates: [...RESOURCE_TEMPLATES] }));
  server.setRequestHandler('resources/read', ({ params }) => readResource(context.link, params.uri));
  return server;
}

/** Undefined when the caller gave no token to hear by. */
function progressOf({ mcpReq }: ServerContext): ((progress: number, message: string) => void) | undefined {
  const progressToken = mcpReq._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  return (progress, message) => {
    const params = { progressToken, progress, total: 1, message };
    mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
  };
}

function soon(work: () => Promise<void>): () => void {
  let timer: NodeJS.Timeout | undefined;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(() => void work().catch(() => undefined), SETTLE_MS);
  };
}
