/** Pass `constants`: values that are known before the run are written where they are linked. */
import { knownValues } from './constant-values.ts';
import { type Draft, saved } from './draft.ts';
import { takesConstants } from './idempotent-classes.ts';
import { writeConstant } from './python-value.ts';
import type { Found, Pass } from './types.ts';

export const constants: Pass = {
  name: 'constants',
  does: 'Writes values that are known before the run into the inputs that they are linked to.',
  condition:
    'Primitives, text nodes (join, part, length, trim, replace, case, contains, compare), `ComfyMathExpression`, logic nodes and a switch between values, all of whose inputs are written or known themselves. The input is of exactly the type that Python would have there (`INT`, `FLOAT`, `STRING`, `BOOLEAN`, or a choice that the server offers), the value within its bounds, and its node one of ComfyUI’s own that brings no check of its constants (`VALIDATE_INPUTS`). Upper and lower case only in ASCII; arithmetic only where doubles and integers of any length come out the same to the last bit.',
  proof:
    'The nodes (`nodes_primitive.py`, `nodes_string.py`, `nodes_math.py`, `nodes_logic.py`) compute with nothing but their inputs. What is written is JSON that Python’s reader and the server’s coercion (`execution.py`, `validate_inputs`) turn into the same object: an int keeps all its digits, a float its point.',
  example: '`PrimitiveInt 18446744073709551 → KSampler.seed`: the seed stands in the sampler, and the primitive goes.',

  run(draft: Draft): readonly Found[] {
    const found: Found[] = [];
    // Writing a value where it was linked changes no value, so what is known stays known.
    const known = knownValues(draft);
    for (const node of draft.inOrder()) {
      if (!known.isFoldable(node)) continue;
      for (const { node: taker, input, slot } of draft.takersOf(node.id)) {
        const spec = taker.specs.get(input);
        const value = known.at({ node: node.id, slot });
        if (value === undefined || spec === undefined || !takesConstants(taker.nodeClass)) continue;
        const json = writeConstant(value, spec);
        if (json !== undefined) draft.write(taker.id, input, json);
      }
      for (const gone of draft.removeIdle([node.id])) found.push({ nodes: [saved(gone)], why: WHY });
    }
    return found;
  },
};

const WHY = 'What it gives is known before the run, and stands where it was linked.';
