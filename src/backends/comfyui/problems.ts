/** ComfyUI's refusal of a graph as problems: one per node and input, in a person's words (comfyui.md 1.1). */
import type { Problem } from '#protocol/problem.ts';
import { isFields, list, text } from './replies.ts';
import type { Fields } from './replies.ts';

interface Place {
  readonly node: string;
  readonly className: string;
  readonly input: string | undefined;
  readonly message: string;
  readonly details: string;
  readonly extra: Fields;
}

interface Told {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** `node_errors` of a 400, or of a 200 that dropped parts of the graph. */
export function nodeProblems(nodeErrors: unknown, severity: Problem['severity'] = 'error'): Problem[] {
  return Object.entries(isFields(nodeErrors) ? nodeErrors : {}).flatMap(([node, entry]) => {
    if (!isFields(entry)) return [];
    const className = text(entry['class_type']) ?? 'unknown class';
    return list(entry['errors']).flatMap((error): Problem[] => {
      if (!isFields(error)) return [];
      const extra = isFields(error['extra_info']) ? error['extra_info'] : {};
      const details = text(error['details']) ?? '';
      const input = text(extra['input_name']);
      const place: Place = { node, className, input, message: text(error['message']) ?? '', details, extra };
      const told = tell(text(error['type']) ?? '', place);
      return [{ ...told, severity, node, ...(input === undefined ? {} : { input }) }];
    });
  });
}

/** The error at the top of a 400: only where no node is named for it. */
export function promptProblem(error: Fields): Problem | undefined {
  const type = text(error['type']) ?? '';
  const message = text(error['message']) ?? 'The prompt was refused.';
  const extra = isFields(error['extra_info']) ? error['extra_info'] : {};
  const severity = 'error' as const;
  switch (type) {
    case 'prompt_outputs_failed_validation':
      return undefined;
    case 'missing_node_type':
    case 'invalid_prompt': {
      // Before 0.3.65 or so the node's id stands in the details only: Node ID '#12'.
      const node = text(extra['node_id']) ?? /'#(.+)'/.exec(text(error['details']) ?? '')?.[1];
      const className = text(extra['class_type']) ?? /node (.+?) (?:does not exist|not found)/.exec(message)?.[1];
      const at = node === undefined ? 'A node of the graph' : `Node ${node}`;
      return {
        code: 'NODE_CLASS_UNKNOWN',
        severity,
        message:
          className === undefined
            ? `${at} has no class the backend knows.`
            : `${at} has the class ${className}, which the backend does not have.`,
        hint: 'Install the node pack that brings this class on the backend and restart it, or choose a backend that has it.',
        ...(node === undefined ? {} : { node }),
      };
    }
    case 'prompt_no_outputs':
      return {
        code: 'GRAPH_NO_OUTPUT',
        severity,
        message: 'The graph has no node that produces an output.',
        hint: 'Add a node that saves or shows the result, such as SaveImage.',
      };
    case 'no_prompt':
    case 'invalid_prompt_id':
      return {
        code: 'PROMPT_INVALID',
        severity,
        message: `The backend refused the request: ${message}`,
        hint: 'A proxy may have changed the request; otherwise this is a defect in Callsheet.',
      };
    default:
      return {
        code: 'PROMPT_INVALID',
        severity,
        message: `The backend refused the graph: ${message}`,
        hint: text(error['details']) ?? "See the backend's log.",
      };
  }
}

function tell(type: string, place: Place): Told {
  const { details, extra } = place;
  const at = `Node ${place.node} (${place.className})`;
  const input = place.input === undefined ? 'an input' : `"${place.input}"`;
  const value = show(extra['received_value']);
  switch (type) {
    case 'required_input_missing':
      return {
        code: 'INPUT_MISSING',
        message: `${at} lacks its required input ${input}.`,
        hint: 'Connect it or give it a value. A newer version of the node may have added it: export the workflow again.',
      };
    case 'bad_linked_input':
      return {
        code: 'GRAPH_LINK_SLOT',
        message: `${at}: the link into ${input} is not [node id, slot].`,
        hint: 'Export the workflow again in API format; wrap a list that is a constant as {"__value__": […]}.',
      };
    case 'return_type_mismatch': {
      const received = show(extra['received_type']);
      const linked = Array.isArray(extra['linked_node']) ? ` from node ${String(extra['linked_node'][0])}` : '';
      return {
        code: 'LINK_TYPE',
        message: `${at}: ${input} receives ${received ?? 'another type'}${linked}, which it does not take.`,
        hint: 'Connect an output of the right type.',
      };
    }
    case 'invalid_input_type':
      return {
        code: 'INPUT_TYPE',
        message: `${at}: ${input} is ${value ?? 'a value'} of the wrong type.`,
        hint: text(extra['exception_message']) ?? (details || 'Give a value of the type that the node asks for.'),
      };
    case 'value_smaller_than_min':
      return {
        code: 'INPUT_RANGE',
        message: `${at}: ${input} is ${value ?? 'a value'}, below its minimum${bound(extra, 'min')}.`,
        hint: 'Give a larger value.',
      };
    case 'value_bigger_than_max':
      return {
        code: 'INPUT_RANGE',
        message: `${at}: ${input} is ${value ?? 'a value'}, above its maximum${bound(extra, 'max')}.`,
        hint: 'Give a smaller value.',
      };
    case 'value_not_in_list':
      return {
        code: 'INPUT_CHOICE',
        message: `${at}: ${input} is ${value ?? 'a value'}, which is not among the choices of the backend.`,
        hint: choices(extra, details),
      };
    case 'custom_validation_failed':
      return {
        code: 'INPUT_REFUSED',
        message: `${at} refused ${input}: ${details === '' ? place.message : details}`,
        hint: 'Check that the file or value exists on the backend.',
      };
    case 'exception_during_validation':
    case 'exception_during_inner_validation':
      return brokenLink(place, at, input);
    case 'dependency_cycle':
      return {
        code: 'GRAPH_CYCLE',
        message: `${at} depends on itself${cycle(extra)}.`,
        hint: 'Break the circle: one of these links has to go.',
      };
    default:
      return {
        code: 'INPUT_REFUSED',
        message: `${at}: ${place.message === '' ? type : place.message}${details === '' ? '' : ` (${details})`}`,
        hint: "See the node's documentation for what this input takes.",
      };
  }
}

/** A link to a node that is not in the graph surfaces as Python's KeyError, one to a missing slot as its IndexError, a circle as its recursion limit. */
function brokenLink(place: Place, at: string, input: string): Told {
  const missing = /^'(.+)'$/.exec(place.details.trim())?.[1] ?? /^'(.+)'$/.exec((text(place.extra['exception_message']) ?? '').trim())?.[1];
  if (missing !== undefined) {
    return {
      code: 'GRAPH_LINK_DANGLING',
      message: `${at}: ${input} is linked to node ${missing}, which is not in the graph.`,
      hint: 'Add that node or remove the link.',
    };
  }
  if (/IndexError/.test(text(place.extra['exception_type']) ?? '') || /index out of range/.test(place.details)) {
    return {
      code: 'GRAPH_LINK_SLOT',
      message: `${at}: ${input} is linked to an output that its node does not have.`,
      hint: 'Connect it again: outputs of that node were changed or removed.',
    };
  }
  if (/recursion/i.test(place.details) || /Recursion/.test(text(place.extra['exception_type']) ?? '')) {
    return { code: 'GRAPH_CYCLE', message: `${at} depends on itself.`, hint: 'Break the circle of links that runs through this node.' };
  }
  return {
    code: 'INPUT_REFUSED',
    message: `${at} could not check ${input}: ${place.details === '' ? place.message : place.details}`,
    hint: 'The node raised an exception while it checked its inputs: see the log of the backend.',
  };
}

function bound(extra: Fields, name: 'min' | 'max'): string {
  const options = list(extra['input_config'])[1];
  const limit = isFields(options) ? show(options[name]) : undefined;
  return limit === undefined ? '' : ` of ${limit}`;
}

function choices(extra: Fields, details: string): string {
  const config = list(extra['input_config']);
  const options = list(Array.isArray(config[0]) ? config[0] : isFields(config[1]) ? config[1]['options'] : undefined).map(String);
  if (options.length > 0) return `Choose one of: ${options.slice(0, 12).join(', ')}${options.length > 12 ? ' …' : ''}.`;
  const length = /list of length (\d+)/.exec(details)?.[1];
  if (length === '0' || /not in \[\]/.test(details))
    return 'The backend has no file for this input: put one into its folder, then refresh it.';
  return length === undefined
    ? 'Check the spelling, and that the file is in the folder of the backend.'
    : `The backend has ${length} choices: check the spelling, and that the file is there.`;
}

function cycle(extra: Fields): string {
  const nodes = list(extra['cycle_nodes']).map(String);
  return nodes.length === 0 ? '' : ` through ${nodes.join(' → ')}`;
}

function show(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  const shown = JSON.stringify(value);
  return shown.length > 120 ? `${shown.slice(0, 120)}…` : shown;
}
