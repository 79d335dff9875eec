/** GET and POST /prompt. */
import { randomUUID } from 'node:crypto';
import { takeFault } from '../faults.ts';
import { HttpFailure, readJsonBody, type Route, sendJson } from '../http.ts';
import { isRecord, type Json, type JsonRecord } from '../json.ts';
import { pyRepr, pyStr } from '../python.ts';
import { execInfo, type ServerState } from '../server-state.ts';
import { type NodeErrors, validatePrompt } from '../validate.ts';

const CANONICAL_UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const SENSITIVE = ['auth_token_comfy_org', 'api_key_comfy_org'];

export function promptRoutes(state: ServerState): Route[] {
  return [
    { method: 'GET', pattern: '/prompt', handler: ({ response }) => sendJson(response, execInfo(state.queue)) },
    {
      method: 'POST',
      pattern: '/prompt',
      async handler(call) {
        const answer = enqueue(state, await readJsonBody(call));
        if (takeFault(state.faults, 'losePromptResponses')) {
          call.request.socket.destroy();
          return;
        }
        sendJson(call.response, answer);
      },
    },
  ];
}

function enqueue(state: ServerState, body: Json): { prompt_id: string; number: number; node_errors: NodeErrors } {
  if (!isRecord(body)) throw new HttpFailure(500, { error: 'The request body is not a JSON object.' });
  const { queue, faults } = state;
  const given = body['number'];
  if (given !== undefined && Number.isNaN(Number(given))) throw new HttpFailure(500, { error: 'could not convert number to float' });
  const number = queue.nextNumber(given === undefined ? undefined : Number(given), body['front'] === true);
  const prompt = body['prompt'];
  if (prompt === undefined) throw refused('no_prompt', 'No prompt provided', 'No prompt provided');
  if (!isRecord(prompt)) throw new HttpFailure(500, { error: 'The prompt is not an object of nodes.' });
  const promptId = idOf(body['prompt_id'], faults.oldServer === true);
  const targets = body['partial_execution_targets'];
  const validation = validatePrompt(prompt, state.catalogue, state.environment, {
    ...(Array.isArray(targets) ? { targets: targets.map(String) } : {}),
    old: faults.oldServer === true,
  });
  if (validation.error !== undefined) throw new HttpFailure(400, { error: validation.error, node_errors: validation.nodeErrors });

  const extraData: JsonRecord = isRecord(body['extra_data']) ? { ...body['extra_data'] } : {};
  if (body['client_id'] !== undefined) extraData['client_id'] = body['client_id'];
  if (faults.oldServer !== true) extraData['create_time'] = Date.now();
  const sensitive: JsonRecord = {};
  for (const key of SENSITIVE) {
    if (extraData[key] !== undefined) sensitive[key] = extraData[key];
    delete extraData[key];
  }
  queue.put({ number, promptId, prompt, extraData, outputs: validation.outputs, sensitive });
  state.wake();
  return { prompt_id: promptId, number, node_errors: validation.nodeErrors };
}

function idOf(given: Json | undefined, anything: boolean): string {
  if (given === undefined || given === null) return randomUUID();
  if (anything) return pyStr(given);
  if (typeof given === 'string' && CANONICAL_UUID.test(given)) return given;
  throw refused('invalid_prompt_id', 'prompt_id must be a canonical lower-case UUID', `received ${pyRepr(given)}`);
}

function refused(type: string, message: string, details: string): HttpFailure {
  return new HttpFailure(400, { error: { type, message, details, extra_info: {} }, node_errors: {} });
}
