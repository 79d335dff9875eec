/** `callsheet convert`: graph on stdout or in a file, problems on stderr, exit codes. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runCli } from '#cli/cli.ts';
import { COMMANDS } from '#cli/commands.ts';
import { createFakeIo } from './fake-io.ts';

const INFO = { Number: { input: { required: { value: ['INT', { default: 0 }] } }, output: ['INT'] } };
const ui = (type: string, value: string) =>
  `{"nodes": [{"id": 1, "type": "${type}", "outputs": [{"name": "INT", "type": "INT"}], "widgets_values": [${value}]}], "links": []}`;

function prepare(text: string) {
  const cwd = mkdtempSync(join(tmpdir(), 'callsheet-convert-'));
  writeFileSync(join(cwd, 'ui.json'), text);
  writeFileSync(join(cwd, 'info.json'), JSON.stringify(INFO));
  const io = createFakeIo({ cwd });
  const run = (...argv: string[]) => runCli(COMMANDS, ['convert', ...argv], io);
  return { cwd, io, run };
}

describe('callsheet convert', () => {
  it('prints the graph, 64-bit integers digit for digit', async () => {
    const { io, run } = prepare(ui('Number', '18446744073709551615'));
    expect(await run('ui.json', '--object-info', 'info.json')).toBe(0);
    expect(io.stderr()).toBe('');
    expect(io.stdout()).toContain('"value": 18446744073709551615');
    expect(JSON.parse(io.stdout())).toMatchObject({ '1': { class_type: 'Number' } });
  });

  it('writes it to --out, and prints nothing then', async () => {
    const { cwd, io, run } = prepare(ui('Number', '5'));
    expect(await run('ui.json', '--object-info', 'info.json', '--out', 'api.json')).toBe(0);
    expect(io.stdout()).toBe('');
    expect(JSON.parse(readFileSync(join(cwd, 'api.json'), 'utf8'))).toMatchObject({ '1': { inputs: { value: 5 } } });
  });

  it('prints problems as file:line:column with the cure, and no graph, where a class is unknown', async () => {
    const { io, run } = prepare(ui('Nummer', '5'));
    expect(await run('ui.json', '--object-info', 'info.json')).toBe(1);
    expect(io.stdout()).toBe('');
    expect(io.stderr()).toMatch(/^ui\.json:1:12 error CONVERT_CLASS_UNKNOWN Node 1 \(Nummer\) is of a class.+\n {4}Install the node pack/);
  });

  it('answers misuse with one sentence and code 2', async () => {
    const { io, run } = prepare(ui('Number', '5'));
    for (const argv of [
      [],
      ['ui.json'],
      ['a', 'b'],
      ['none.json', '--object-info', 'info.json'],
      ['ui.json', '--object-info', 'none.json'],
      ['ui.json', '--object-info', 'info.json', '--out', './ui.json'],
    ]) {
      expect(await run(...argv)).toBe(2);
    }
    expect(io.stderr().trim().split('\n')).toHaveLength(6);
    expect(io.stdout()).toBe('');
  });

  it('refuses a file that is no object info', async () => {
    const { io, run } = prepare(ui('Number', '5'));
    expect(await run('ui.json', '--object-info', 'ui.json')).toBe(1);
    expect(io.stderr()).toContain('The file ui.json is no object info of a ComfyUI.');
  });
});
