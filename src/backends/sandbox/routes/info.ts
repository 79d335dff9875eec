/** What the server is and has: object info, models, features, statistics, users, settings. */
import os from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { HttpFailure, MAX_BODY_BYTES, readJsonBody, readLenientBody, type Route, sendEmpty, sendJson } from '../http.ts';
import { isRecord, type JsonRecord } from '../json.ts';
import { describeAll, describeNode } from '../object-info.ts';
import type { ServerState } from '../server-state.ts';

export const EMULATED_VERSION = '0.33.0';
const OLD_VERSION = '0.3.45';

/** The same flags over HTTP and over the socket. `callsheet_sandbox` is ours. */
export function serverFlags({ faults }: Pick<ServerState, 'faults'>): JsonRecord {
  return {
    supports_preview_metadata: true,
    max_upload_size: faults.maxBodyBytes ?? MAX_BODY_BYTES,
    callsheet_sandbox: true,
    ...(faults.oldServer === true ? {} : { extension: { manager: { supports_v4: false } } }),
  };
}

export function infoRoutes(state: ServerState): Route[] {
  const { catalogue, environment, faults, settings } = state;
  const { models } = environment;
  const get = (pattern: string, answer: (params: Readonly<Record<string, string>>) => unknown): Route => ({
    method: 'GET',
    pattern,
    handler: ({ response, params }) => sendJson(response, answer(params), 200, { bareNaN: faults.nan === true }),
  });
  return [
    {
      method: 'GET',
      pattern: '/object_info',
      async handler({ response }) {
        if (faults.objectInfoDelayMs !== undefined) await sleep(faults.objectInfoDelayMs);
        const info = describeAll(catalogue, environment);
        if (faults.nan === true) withNaN(info);
        sendJson(response, info, 200, { bareNaN: faults.nan === true });
      },
    },
    get('/object_info/{class}', ({ class: name = '' }) => {
      const definition = catalogue.get(name);
      return definition === undefined ? {} : { [name]: describeNode(definition, environment) };
    }),
    get('/system_stats', () => systemStats(faults.oldServer === true)),
    get('/features', () => serverFlags(state)),
    get('/embeddings', () => (models.list('embeddings') ?? []).map((name) => name.replace(/\.[^.]+$/, ''))),
    get('/extensions', () => []),
    get('/models', () => models.folders()),
    get('/models/{folder}', ({ folder = '' }) => known(models.list(folder))),
    get('/experiment/models', () => models.folders().map((name) => ({ name, folders: [] }))),
    get('/experiment/models/{folder}', ({ folder = '' }) =>
      known(models.list(folder)).map((name) => ({ name, pathIndex: 0, modified: 0, created: 0, size: 0 })),
    ),
    get('/users', () => ({ storage: 'server', migrated: true })),
    get('/node_replacements', () => ({})),
    get('/global_subgraphs', () => ({})),
    get('/workflow_templates', () => ({})),
    get('/i18n', () => ({})),
    get('/settings', () => settings),
    get('/settings/{id}', ({ id = '' }) => settings[id] ?? null),
    {
      method: 'POST',
      pattern: '/settings',
      async handler(call) {
        const body = await readJsonBody(call);
        if (!isRecord(body)) throw new HttpFailure(400, { error: 'Settings are a JSON object.' });
        Object.assign(settings, body);
        sendEmpty(call.response);
      },
    },
    {
      method: 'POST',
      pattern: '/settings/{id}',
      async handler(call) {
        settings[call.params['id'] ?? ''] = await readJsonBody(call);
        sendEmpty(call.response);
      },
    },
    get('/internal/logs', () => state.printed.map(({ t, m }) => `${t} - ${m}`).join('')),
    get('/internal/logs/raw', () => ({ entries: state.printed, size: null })),
    {
      method: 'PATCH',
      pattern: '/internal/logs/subscribe',
      async handler(call) {
        await readLenientBody(call);
        sendEmpty(call.response);
      },
    },
    get('/sandbox/ledger', () => ({ executions: state.ledger.entries() })),
  ];
}

function known(names: readonly string[] | undefined): readonly string[] {
  if (names === undefined) throw new HttpFailure(404, { error: 'There is no such model folder.' });
  return names;
}

function systemStats(old: boolean): JsonRecord {
  return {
    system: {
      os: old ? 'posix' : process.platform,
      ram_total: os.totalmem(),
      ram_free: os.freemem(),
      comfyui_version: old ? OLD_VERSION : EMULATED_VERSION,
      required_frontend_version: null,
      python_version: 'none (callsheet sandbox)',
      pytorch_version: 'none',
      embedded_python: false,
      argv: ['callsheet', 'sandbox'],
    },
    devices: [
      {
        name: 'callsheet sandbox (drafts)',
        type: 'cpu',
        index: null,
        vram_total: 0,
        vram_free: 0,
        torch_vram_total: 0,
        torch_vram_free: 0,
      },
    ],
  };
}

/** Custom nodes on real servers have such bounds, and Python prints them bare. */
function withNaN(info: JsonRecord): void {
  const model = info['SandboxFail'];
  if (isRecord(model)) info['SandboxNaN'] = { ...model, input: { required: { bound: ['FLOAT', { default: Number.NaN, max: Infinity }] } } };
}
