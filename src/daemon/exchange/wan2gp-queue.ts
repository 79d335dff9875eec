/** A queue that Wan2GP saved: a zip with queue.json and the files its tasks use, made into a template with a step for each task. */
import { parseJson } from '#graph/json.ts';
import { isRecord } from '#graph/node-classes.ts';
import type { JsonNode, JsonObject, JsonValue } from '#graph/types.ts';
import { toValue } from '#graph/values.ts';
import type { Problem } from '#protocol/problem.ts';
import { adopt } from '#templates/adopt.ts';
import { MANIFEST_FILE } from '#templates/compile.ts';
import { titleOf } from '#templates/identifier.ts';
import { member } from '#templates/locate.ts';
import { printManifest } from '#templates/print-manifest.ts';

export const QUEUE_FILE = 'queue.json';

/** What a person queues by hand; more would be a form that nobody fills. */
const MOST_TASKS = 50;

export interface QueueFolder {
  /** Undefined when a problem is an error. */
  readonly files: ReadonlyMap<string, string> | undefined;
  readonly problems: readonly Problem[];
}

export interface QueueOptions {
  readonly id: string;
  readonly title: string;
  readonly version: string;
  /** Names of the other files of the archive. */
  readonly attached: ReadonlySet<string>;
  /** What problems call the archive. */
  readonly shown: string;
}

type Definition = Readonly<Record<string, JsonValue>>;
interface Task {
  readonly step: object;
  readonly parameters: readonly (readonly [string, Definition])[];
  readonly settings: string;
  readonly workflow: string;
}

/** `text` is queue.json: a list of `{id, params}`, of settings, or one of either. Settings keep their text, 64-bit seeds included. */
export function folderOfQueue(text: string, options: QueueOptions): QueueFolder {
  const { root } = parseJson(text);
  const problems: Problem[] = [];
  const refuse = (message: string): QueueFolder => {
    const hint = 'Save the queue again in Wan2GP, or give the settings of one task as JSON.';
    return {
      files: undefined,
      problems: [...problems, { code: 'IMPORT_QUEUE_INVALID', severity: 'error', message, hint, file: options.shown }],
    };
  };
  const nodes = root === undefined ? [] : settingsIn(root);
  if (nodes.length === 0) return refuse('queue.json holds no task with settings of Wan2GP.');
  if (nodes.length > MOST_TASKS) return refuse(`The queue has ${nodes.length} tasks; at most ${MOST_TASKS} are taken.`);
  const tasks: Task[] = [];
  for (const [index, node] of nodes.entries()) {
    const settings = text.slice(node.start, node.end);
    const called = nodes.length === 1 ? 'The task' : `Task ${index + 1}`;
    const model = member(node, 'model_type');
    if (model?.kind !== 'string')
      return refuse(`${called} of the queue names no model_type, which tasks without a model (post-processing) lack.`);
    for (const name of missingFiles(node, options.attached)) problems.push(fileMissing(called, name, options.shown));
    const task = taskOf(settings, index, nodes.length, options.attached);
    if (task === undefined) return refuse(`${called} of the queue cannot be made a step.`);
    tasks.push(task);
  }
  const { id, title, version } = options;
  const manifest = printManifest({
    format: 1,
    id,
    version,
    title,
    category: 'imported',
    parameters: Object.fromEntries(tasks.flatMap(({ parameters }) => parameters)),
    steps: tasks.map(({ step }) => step),
    outputs: Object.fromEntries(
      tasks.map((_, index) => [nameFor('files', index, tasks.length), { from: `{steps.task-${index + 1}.files}` }]),
    ),
  });
  return { files: new Map([[MANIFEST_FILE, manifest], ...tasks.map(({ workflow, settings }) => [workflow, settings] as const)]), problems };
}

// --- helpers ---

function settingsIn(root: JsonNode): readonly JsonObject[] {
  const entries = root.kind === 'array' ? root.items : [root];
  return entries.flatMap((entry) => {
    const params = member(entry, 'params') ?? entry;
    return params.kind === 'object' && params.members.length > 0 ? [params] : [];
  });
}

/** What adoption offers of settings, and every file that came with them; named apart where there are several tasks. */
function taskOf(settings: string, index: number, count: number, attached: ReadonlySet<string>): Task | undefined {
  const workflow = `task-${index + 1}.json`;
  const { manifest: text } = adopt(settings, workflow, workflow, {});
  const { root } = text === undefined ? {} : parseJson(text);
  const manifest = root === undefined ? undefined : toValue(root);
  const values = parseJson(settings).root;
  if (!isRecord(manifest) || values === undefined) return undefined;
  const offered = new Map<string, Definition>();
  for (const [name, definition] of Object.entries(isRecord(manifest['parameters']) ? manifest['parameters'] : {})) {
    if (isRecord(definition)) offered.set(name, definition);
  }
  const settingsNow = toValue(values);
  for (const [name, value] of Object.entries(isRecord(settingsNow) ? settingsNow : {})) {
    const definition = ofFiles(name, value, attached);
    if (definition !== undefined) offered.set(name, { ...offered.get(name), ...definition });
  }
  const steps = Array.isArray(manifest['steps']) ? (manifest['steps'] as readonly JsonValue[]) : [];
  const [first] = steps;
  const hasPlaceholders = isRecord(first) && !isRecord(first['set']) && offered.size > 0;
  const rename = (name: string): string => nameFor(name, index, count);
  // Placeholders in the settings themselves keep their names, which all tasks share.
  const parameters = [...offered].map(
    ([name, definition]) => [hasPlaceholders ? name : rename(name), titled(definition, name, index, count)] as const,
  );
  const set = Object.fromEntries([...offered.keys()].map((name) => [name, `{${rename(name)}}`]));
  const step = { id: `task-${index + 1}`, backend: 'wan2gp', workflow, ...(hasPlaceholders ? {} : { set }), outputs: { files: '*' } };
  return { step, parameters, settings, workflow };
}

function nameFor(name: string, index: number, count: number): string {
  return count === 1 ? name : `${name}_${index + 1}`;
}

function titled(definition: Definition, name: string, index: number, count: number): Definition {
  const title = typeof definition['title'] === 'string' ? definition['title'] : titleOf(name);
  return count === 1 ? { ...definition, title } : { ...definition, title: `${title} (task ${index + 1})`, group: `Task ${index + 1}` };
}

const KINDS: readonly (readonly [RegExp, string])[] = [
  [/\.(?:png|jpe?g|webp|avif|gif|tiff?)$/i, 'image'],
  [/\.(?:mp4|mov|m4v|webm|mkv)$/i, 'video'],
  [/\.(?:wav|mp3|flac|ogg|opus|m4a)$/i, 'audio'],
];

function kindOf(name: string): string {
  return KINDS.find(([ending]) => ending.test(name))?.[1] ?? 'file';
}

/** The parameter for a setting that names files of the archive, or several. */
function ofFiles(name: string, value: JsonValue, attached: ReadonlySet<string>): Definition | undefined {
  if (typeof value === 'string')
    return attached.has(value)
      ? { type: name.includes('mask') && kindOf(value) === 'image' ? 'mask' : kindOf(value), default: value }
      : undefined;
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const names = (value as readonly JsonValue[]).filter((item) => typeof item === 'string' && attached.has(item));
  const [first] = names;
  return names.length === value.length && typeof first === 'string' ? { type: 'list', of: kindOf(first), default: names } : undefined;
}

/** Wan2GP names what it packs `task<ID>_<setting>_<number>.<ending>`. */
function missingFiles(node: JsonObject, attached: ReadonlySet<string>): readonly string[] {
  const texts = node.members.flatMap(({ value }) => (value.kind === 'array' ? value.items : [value]));
  return texts.flatMap((value) =>
    value.kind === 'string' && /^task\w+_\d+\.\w{1,5}$/.test(value.value) && !attached.has(value.value) ? [value.value] : [],
  );
}

function fileMissing(called: string, name: string, file: string): Problem {
  const message = `${called} of the queue uses "${name.slice(0, 200)}", which is not in the archive.`;
  return { code: 'IMPORT_QUEUE_FILE', severity: 'warning', message, hint: 'Give the file when you run the template.', file };
}
