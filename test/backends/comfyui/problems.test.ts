/** ComfyUI's catalogue of refusals in a person's words: one row per type of comfyui.md 1.1. */
import { describe, expect, it } from 'vitest';
import { nodeFailure } from '#backends/comfyui/failures.ts';
import { nodeProblems, promptProblem } from '#backends/comfyui/problems.ts';

const one = (type: string, extra: object = {}, details = '') =>
  nodeProblems({
    7: { class_type: 'KSampler', errors: [{ type, message: 'said', details, extra_info: { input_name: 'cfg', ...extra } }] },
  })[0];

describe('[F18] a refusal by a node', () => {
  it.each([
    ['required_input_missing', {}, '', 'INPUT_MISSING', 'lacks its required input "cfg"'],
    ['bad_linked_input', {}, '', 'GRAPH_LINK_SLOT', 'not [node id, slot]'],
    ['return_type_mismatch', { received_type: 'IMAGE', linked_node: ['4', 0] }, '', 'LINK_TYPE', 'receives "IMAGE" from node 4'],
    ['invalid_input_type', { received_value: 'x' }, '', 'INPUT_TYPE', 'is "x" of the wrong type'],
    ['value_smaller_than_min', { received_value: 0, input_config: ['INT', { min: 1 }] }, '', 'INPUT_RANGE', 'is 0, below its minimum of 1'],
    ['value_bigger_than_max', { received_value: 9, input_config: ['INT', { max: 8 }] }, '', 'INPUT_RANGE', 'is 9, above its maximum of 8'],
    ['value_not_in_list', { received_value: 'z' }, '', 'INPUT_CHOICE', 'is "z"'],
    ['custom_validation_failed', {}, 'image - Invalid image file: a.png', 'INPUT_REFUSED', 'Invalid image file: a.png'],
    ['exception_during_inner_validation', {}, "'43069'", 'GRAPH_LINK_DANGLING', 'linked to node 43069, which is not in the graph'],
    [
      'exception_during_validation',
      { exception_type: 'RecursionError' },
      'maximum recursion depth exceeded',
      'GRAPH_CYCLE',
      'depends on itself',
    ],
    [
      'exception_during_validation',
      { exception_type: 'IndexError' },
      'tuple index out of range',
      'GRAPH_LINK_SLOT',
      'an output that its node does not have',
    ],
    ['dependency_cycle', { cycle_nodes: ['7', '8', '7'] }, '', 'GRAPH_CYCLE', 'through 7 → 8 → 7'],
    ['invalid_dynamic_input', {}, 'why', 'INPUT_REFUSED', 'said (why)'],
  ])('of the type %s names node, input and cure', (type, extra, details, code, part) => {
    const problem = one(type, extra, details);
    expect(problem).toMatchObject({ code, node: '7', input: 'cfg', severity: 'error' });
    expect(problem?.message).toContain(part);
    expect(problem?.message).toContain('Node 7 (KSampler)');
    expect(problem?.hint).toMatch(/\w/);
  });

  it('offers the choices of the backend, old and new spelling of combos', () => {
    expect(one('value_not_in_list', { input_config: [['euler', 'ddim'], {}] })?.hint).toBe('Choose one of: euler, ddim.');
    expect(one('value_not_in_list', { input_config: ['COMBO', { options: ['a'] }] })?.hint).toBe('Choose one of: a.');
    expect(one('value_not_in_list', {}, "ckpt: 'x' not in (list of length 27)")?.hint).toContain('27 choices');
    expect(one('value_not_in_list', {}, "ckpt: 'x' not in []")?.hint).toContain('no file');
  });

  it.each([null, [], { 7: null }, { 7: { errors: [null, 5] } }, { 7: {} }])('is none in %j', (errors) => {
    expect(nodeProblems(errors)).toEqual([]);
  });
});

describe('[F18] a refusal of the whole prompt', () => {
  it.each([
    [
      { type: 'invalid_prompt', message: 'Cannot execute because node Foo does not exist.', details: "Node ID '#12'", extra_info: {} },
      'NODE_CLASS_UNKNOWN',
      'Node 12 has the class Foo',
    ],
    [
      { type: 'missing_node_type', message: "Node 'x' not found", extra_info: { node_id: '3:1', class_type: 'Bar' } },
      'NODE_CLASS_UNKNOWN',
      'Node 3:1 has the class Bar',
    ],
    [
      { type: 'missing_node_type', message: 'm', extra_info: { node_id: '3', class_type: null } },
      'NODE_CLASS_UNKNOWN',
      'Node 3 has no class',
    ],
    [{ type: 'prompt_no_outputs', message: 'Prompt has no outputs' }, 'GRAPH_NO_OUTPUT', 'no node that produces an output'],
    [{ type: 'invalid_prompt_id', message: 'bad id' }, 'PROMPT_INVALID', 'bad id'],
    [{ type: 'something_new', message: 'new words' }, 'PROMPT_INVALID', 'new words'],
  ])('is told for %j', (error, code, part) => {
    const problem = promptProblem(error);
    expect(problem?.code).toBe(code);
    expect(problem?.message).toContain(part);
    expect(problem?.hint).toMatch(/\w/);
  });

  it('is left to the nodes where they say more', () => {
    expect(promptProblem({ type: 'prompt_outputs_failed_validation', message: 'm' })).toBeUndefined();
  });
});

describe('a node that failed', () => {
  it.each([
    [{ node_id: 5, node_type: 'X', exception_message: '' }, 'NODE_FAILED', 'Node 5 (X) failed: no reason was given'],
    [{ exception_type: 'KeyError', exception_message: '' }, 'NODE_FAILED', 'A node failed: KeyError'],
    [
      { node_id: '1', exception_message: 'Allocation on device 0 would exceed allowed memory. (out of memory)' },
      'OUT_OF_MEMORY',
      'ran out of memory',
    ],
  ])('is told for %j', (data, code, part) => {
    const error = nodeFailure(data);
    expect(error.code).toBe(code);
    expect(error.message).toContain(part);
    expect(error.hint).toMatch(/\w/);
  });

  it('names models that do not belong together', () => {
    expect(nodeFailure({ exception_message: 'mat1 and mat2 shapes cannot be multiplied (1x2 and 3x4)' }).hint).toContain(
      'different families',
    );
  });
});
