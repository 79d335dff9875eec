import { describe, expect, it } from 'vitest';
import { createFileNames } from '#actors/file-names.ts';
import type { NamedFile } from '#actors/file-names.ts';
import type { Scope } from '#templates/types.ts';
import { compiled, manifest as base, scope as scopeAt } from '../templates/support.ts';

const GRAPH = { 2: { class_type: 'SaveImage', inputs: { filename_prefix: 'x' } } };

function names(manifest: Record<string, unknown>, params: Record<string, string> = {}) {
  const template = compiled(base({ parameters: { prompt: { type: 'text', default: '' } }, ...manifest }), { 'a.json': GRAPH });
  let asked = 0;
  const scope = (): Scope => {
    asked += 1;
    return scopeAt({ prompt: 'A Fox / in snow', ...params });
  };
  const nameOf = createFileNames(template, scope);
  return {
    asked: () => asked,
    nameOf: (file: Partial<NamedFile> = {}) => nameOf({ step: 'draw', item: 0, output: 'card', node: '2', index: 0, ...file }),
  };
}

const step = (more: object = {}) => ({ id: 'draw', workflow: 'a.json', outputs: { card: '2' }, ...more });
const output = (name?: string) => ({
  cards: { from: '{steps.draw.card}', asset: { kind: 'image', ...(name === undefined ? {} : { name }) } },
});

describe('names of files', () => {
  it('follow the pattern of the output that takes them, counted by file', () => {
    const { nameOf } = names({ steps: [step()], outputs: output('{prompt|slug}-{index}') });
    expect([nameOf(), nameOf({ index: 1 }), nameOf({ index: 2 })]).toEqual(['a-fox-in-snow-0', 'a-fox-in-snow-1', 'a-fox-in-snow-2']);
  });

  it('are counted by item where the step has many', () => {
    const { nameOf } = names({
      parameters: { prompt: { type: 'text', default: '' }, angles: { type: 'list', of: 'text', default: ['a'] } },
      steps: [step({ each: '{angles}' })],
      outputs: output('look-{index}'),
    });
    expect([nameOf(), nameOf({ item: 3 }), nameOf({ item: 3, index: 1 })]).toEqual(['look-0', 'look-3', 'look-3_2']);
  });

  it('get numbers where the pattern does not count', () => {
    const many = {
      parameters: { prompt: { type: 'text', default: '' }, angles: { type: 'list', of: 'text', default: ['a'] } },
      steps: [step({ each: '{angles}' })],
      outputs: output('look'),
    };
    expect([names(many).nameOf(), names(many).nameOf({ item: 1 }), names(many).nameOf({ item: 1, index: 1 })]).toEqual([
      'look',
      'look-02',
      'look-02_2',
    ]);
    const one = { steps: [step()], outputs: output('look') };
    expect([names(one).nameOf(), names(one).nameOf({ index: 1 })]).toEqual(['look', 'look_2']);
  });

  it('are made of step, item, output and file without a pattern, or where it comes to nothing', () => {
    const { nameOf, asked } = names({ steps: [step()], outputs: output() });
    expect([nameOf(), nameOf({ item: 1 }), nameOf({ index: 2 }), nameOf({ output: '*' })]).toEqual([
      'draw_card',
      'draw-02_card',
      'draw_card_3',
      'draw_2',
    ]);
    expect(asked()).toBe(0);
    expect(names({ steps: [step()], outputs: output('{prompt}') }, { prompt: ' ' }).nameOf()).toBe('draw_card');
  });

  it('tell the nodes apart of an output that takes them all', () => {
    const { nameOf } = names({ steps: [step({ outputs: { files: '*' } })], outputs: { files: { from: '{steps.draw.files}' } } });
    expect([nameOf({ output: 'files' }), nameOf({ output: 'files', node: '7', index: 1 })]).toEqual(['draw_files_2', 'draw_files_7_2']);
  });
});
