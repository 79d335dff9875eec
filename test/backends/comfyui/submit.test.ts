/** Sending a prompt: the body, the answers, and the trap in each of them (comfyui.md 1.1). */
import { describe, expect, it } from 'vitest';
import { parsePython } from '#backends/comfyui/replies.ts';
import { ownPrefix } from '#backends/comfyui/prompt.ts';
import { connect, failure, GRAPH, newAttempt, PAYLOAD, record, startFake } from './harness.ts';

describe('the body of a prompt', () => {
  it('keeps 64-bit integers, NaN and the spelling of the graph as they are', async () => {
    const fake = await startFake();
    const graph = '{"1": {"class_type": "EmptyImage", "inputs": {"width": 8, "seed": 18446744073709551615, "cfg": 8.0}}}';
    await connect(fake.url).submit(newAttempt(), { text: graph, outputNodes: [] });
    expect(fake.requests.at(-1)?.body.toString()).toContain(`{"prompt":${graph},`);
  });

  it('names our prompt id, our client id and a marker that comes back in the history', async () => {
    const fake = await startFake();
    const attempt = newAttempt();
    await connect(fake.url).submit(attempt, PAYLOAD);
    const body = parsePython(fake.requests.at(-1)?.body.toString() ?? '');
    expect(body).toMatchObject({
      prompt_id: attempt.promptId,
      client_id: new URLSearchParams(fake.handshakes[0]?.query).get('clientId'),
      extra_data: { callsheet: { runId: 'run-1', step: 'base', item: 0, attempt: 1 } },
    });
  });

  it('puts the files of each attempt into a sub-folder of its own and changes nothing else', async () => {
    const fake = await startFake();
    const attempt = newAttempt();
    await connect(fake.url).submit(attempt, PAYLOAD);
    const expected = GRAPH.replace('"shot"', `"callsheet/${attempt.promptId}/shot"`);
    expect(fake.requests.at(-1)?.body.toString()).toContain(`{"prompt":${expected},`);
  });

  it('leaves a filename_prefix alone that comes from another node', async () => {
    const fake = await startFake();
    const graph = '{"1":{"class_type":"SaveImage","inputs":{"filename_prefix":["2",0]}}}';
    await connect(fake.url).submit(newAttempt(), { text: graph, outputNodes: [] });
    expect(fake.requests.at(-1)?.body.toString()).toContain(graph);
  });

  it.each([
    ['a/b', 'a/b'],
    ['../../etc/x', 'etc/x'],
    ['/abs/x', 'abs/x'],
    [String.raw`C:\out\x`, 'out/x'],
    ['%date:yyyy%/x', '%date:yyyy%/x'],
    ['', 'file'],
    ['..', 'file'],
  ])('turns the prefix %j into %j below the attempt, so that no prefix leaves the output folder', (prefix, expected) => {
    expect(ownPrefix('id', prefix)).toBe(`callsheet/id/${expected}`);
  });

  it('refuses a payload that is no graph before anything is sent', async () => {
    const fake = await startFake();
    const error = await failure(connect(fake.url).submit(newAttempt(), { text: '{"nodes":[],"links":[]}', outputNodes: [] }));
    expect(error.code).toBe('PROMPT_REJECTED');
    expect(error.data.problems?.[0]?.code).toBe('GRAPH_NOT_API');
    expect(fake.requests).toEqual([]);
  });
});

const answered = async (status: number, body: string, type = 'application/json') => {
  const fake = await startFake();
  fake.misbehave({ method: 'POST', path: /^\/prompt$/, mode: { kind: 'reply', status, body, type } });
  const attempt = newAttempt();
  return { fake, attempt, outcome: connect(fake.url).submit(attempt, PAYLOAD) };
};

describe('the answers to a prompt', () => {
  it('takes 200 with node_errors for a success with warnings: parts were dropped, the rest runs (ComfyUI#4105)', async () => {
    const fake = await startFake();
    const attempt = newAttempt();
    const errors = {
      9: {
        class_type: 'SaveImage',
        errors: [{ type: 'required_input_missing', message: 'm', details: 'images', extra_info: { input_name: 'images' } }],
      },
    };
    const body = JSON.stringify({ prompt_id: attempt.promptId, number: 4, node_errors: errors });
    fake.misbehave({ method: 'POST', path: /^\/prompt$/, mode: { kind: 'reply', status: 200, type: 'application/json', body } });
    const receipt = await connect(fake.url).submit(attempt, PAYLOAD);
    expect(receipt.number).toBe(4);
    expect(receipt.warnings[0]?.problems?.[0]).toMatchObject({
      code: 'INPUT_MISSING',
      severity: 'warning',
      node: '9',
      input: 'images',
    });
  });

  it('says that the server is too old when it runs the prompt under another id (before 0.3.45), and takes that prompt back', async () => {
    const fake = await startFake({ clientPromptIds: false });
    fake.engine.plan = () => ({ holdAt: '1' });
    const backend = connect(fake.url);
    await failure(backend.submit(newAttempt(), PAYLOAD));
    const error = await failure(backend.submit(newAttempt(), PAYLOAD));
    expect(error.code).toBe('BACKEND_TOO_OLD');
    expect(error.data.hint).toContain('0.3.45');
    expect(fake.engine.pending()).toEqual([]);
  });

  it('finds the circle itself that 0.3.64 refuses without naming a node', async () => {
    const fake = await startFake();
    const body =
      '{"error": {"type": "prompt_outputs_failed_validation", "message": "m", "details": "", "extra_info": {}}, "node_errors": {}}';
    fake.misbehave({ method: 'POST', path: /^\/prompt$/, mode: { kind: 'reply', status: 400, type: 'application/json', body } });
    const text =
      '{"1":{"class_type":"ImageInvert","inputs":{"image":["3",0]}},"3":{"class_type":"ImageInvert","inputs":{"image":["1",0]}}}';
    const error = await failure(connect(fake.url).submit(newAttempt(), { text, outputNodes: [] }));
    expect(error.data.problems?.[0]?.code).toBe('GRAPH_CYCLE');
  });

  it('takes a web page for something that is not ComfyUI', async () => {
    const { outcome, fake } = await answered(200, '<html>Login</html>', 'text/html');
    const error = await failure(outcome);
    expect(error.code).toBe('BACKEND_NOT_COMFYUI');
    expect(error.message).toContain(fake.url);
  });

  it('takes JSON of another program for something that is not ComfyUI', async () => {
    const { outcome } = await answered(200, '{"ok":true}');
    expect((await failure(outcome)).code).toBe('BACKEND_NOT_COMFYUI');
  });

  it('takes a 400 of another program for something that is not ComfyUI', async () => {
    const { outcome } = await answered(400, '<h1>Bad Request</h1>', 'text/html');
    expect((await failure(outcome)).code).toBe('BACKEND_NOT_COMFYUI');
  });

  it('names the setting to change when the prompt is too large (413)', async () => {
    const { outcome } = await answered(413, 'Maximum request body size 104857600 exceeded.', 'text/plain');
    const error = await failure(outcome);
    expect(error.data).toMatchObject({ code: 'BACKEND_HTTP', retryable: false });
    expect(error.data.hint).toContain('--max-upload-size');
  });

  it('takes a 500 with an empty or plain body for a graph that ComfyUI cannot read, not for JSON', async () => {
    const { outcome } = await answered(500, '500 Internal Server Error\n\nServer got itself in trouble', 'text/plain');
    expect((await failure(outcome)).data).toMatchObject({ code: 'BACKEND_HTTP', retryable: false });
  });

  it('points to headers when a proxy asks for a key', async () => {
    const { outcome } = await answered(401, '', 'text/plain');
    expect((await failure(outcome)).data.hint).toContain('header');
  });

  it.each([502, 503, 504])("takes a proxy's %i for a backend that cannot be reached", async (status) => {
    const { outcome } = await answered(status, '<html>', 'text/html');
    expect((await failure(outcome)).code).toBe('BACKEND_UNREACHABLE');
  });

  it('[S24] refuses a redirect and sends nothing to where it leads', async () => {
    const elsewhere = await startFake();
    const fake = await startFake();
    fake.misbehave({ path: /prompt/, mode: { kind: 'reply', status: 307, headers: { Location: `${elsewhere.url}/prompt` } } });
    const error = await failure(connect(fake.url).submit(newAttempt(), PAYLOAD));
    expect(error.message).toContain('redirect');
    expect(elsewhere.requests).toEqual([]);
  });

  it('speaks to a host by its name', async () => {
    const fake = await startFake();
    const attempt = newAttempt();
    const backend = connect(fake.url.replace('127.0.0.1', 'localhost'));
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    expect((await recorder.end).type).toBe('finished');
    expect(fake.handshakes).toHaveLength(1);
  });

  it('says that a host is unknown', async () => {
    const error = await failure(connect('http://no-such-host.invalid:8188').submit(newAttempt(), PAYLOAD));
    expect(error.message).toContain('no-such-host.invalid');
    expect(error.data.hint).toContain('spelling');
  });

  it('names the address and the cure when nothing listens', async () => {
    const fake = await startFake();
    await fake.stop();
    const error = await failure(connect(fake.url).submit(newAttempt(), PAYLOAD));
    expect(error.code).toBe('BACKEND_UNREACHABLE');
    expect(error.message).toContain(fake.url);
    expect(error.data.hint).toContain('Start ComfyUI');
  });

  it.each(['reset', 'lose-reply'] as const)('never sends a prompt twice by itself (%s)', async (kind) => {
    const fake = await startFake();
    fake.misbehave({ method: 'POST', path: /^\/prompt$/, times: 1, mode: { kind } });
    const backend = connect(fake.url);
    // Leaves a kept connection behind, which is where a client is tempted to try again.
    await backend.describe();
    const error = await failure(backend.submit(newAttempt(), PAYLOAD));
    expect(error.code).toBe('BACKEND_UNREACHABLE');
    expect(fake.requests.filter((request) => request.method === 'POST' && request.path === '/prompt')).toHaveLength(1);
  });

  it('gives up on an answer that never comes, without calling the prompt lost', async () => {
    const fake = await startFake();
    fake.misbehave({ method: 'POST', path: /^\/prompt$/, times: 1, mode: { kind: 'hang' } });
    const error = await failure(connect(fake.url, { timeouts: { promptMs: 80 } }).submit(newAttempt(), PAYLOAD));
    expect(error.code).toBe('BACKEND_UNREACHABLE');
  });

  it('uses the bare routes when a proxy exposes only those', async () => {
    const fake = await startFake({ apiPrefix: false });
    const backend = connect(fake.url);
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    expect((await recorder.end).type).toBe('finished');
    expect(fake.engine.ledger).toHaveLength(1);
  });

  it('sends configured headers with every request and handshake, and the token only with the handshake', async () => {
    const fake = await startFake();
    const backend = connect(fake.url, { headers: { Authorization: 'Bearer key' }, token: 'a b&c' });
    const attempt = newAttempt();
    const recorder = record(backend, attempt);
    await backend.submit(attempt, PAYLOAD);
    await recorder.end;
    expect(fake.requests.every((request) => request.headers['authorization'] === 'Bearer key')).toBe(true);
    expect(fake.handshakes[0]?.headers['authorization']).toBe('Bearer key');
    expect(new URLSearchParams(fake.handshakes[0]?.query).get('token')).toBe('a b&c');
    expect(fake.requests.some((request) => request.query.includes('token'))).toBe(false);
  });

  it('sends neither an Origin nor a Sec-Fetch-Site, which ComfyUI would refuse', async () => {
    const fake = await startFake();
    await connect(fake.url).submit(newAttempt(), PAYLOAD);
    const headers = [fake.requests.at(-1)?.headers, fake.handshakes[0]?.headers];
    expect(headers.flatMap((each) => [each?.['origin'], each?.['sec-fetch-site']])).toEqual([undefined, undefined, undefined, undefined]);
  });
});
