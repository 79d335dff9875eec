/**
 * The types of the protocol for Python, made from the same schemas: a module without dependencies for Python 3.10 and later, whose types
 * are plain dictionaries at run time. Members that may be absent stand in a class with `total=False`; those that must be there in its base.
 */
import { ASSET_KINDS } from '#protocol/assets.ts';
import { ERRORS } from '#protocol/errors.ts';
import { SCOPES } from '#protocol/methods/define.ts';
import { METHODS } from '#protocol/methods/index.ts';
import { PROTOCOL_VERSION } from '#protocol/methods/system.ts';
import * as views from '#protocol/methods/views.ts';
import { provenance } from '#protocol/methods/provenance.ts';
import { queueState } from '#protocol/methods/queue.ts';
import { CLIENT_NOTIFICATIONS, NOTIFICATIONS } from '#protocol/notifications.ts';
import type { JsonSchema, ObjectSchema } from '#protocol/schema.ts';
import { ARTIFACT_KINDS, CHOICE_STATUSES, RUN_STATUSES, STEP_STATUSES } from '#protocol/views.ts';

/** Shapes that several methods share, under the names that the documents give them. */
const SHARED: readonly (readonly [string, JsonSchema])[] = [
  ['Problem', views.problem.json],
  ['ErrorData', views.errorData.json],
  ['Attempt', views.attempt.json],
  ['CacheUse', views.cache.json],
  ['Step', views.step.json],
  ['Asset', views.asset.json],
  ['Sequence', views.sequence.json],
  ['MediaFacts', views.facts.json],
  ['Artifact', views.artifact.json],
  ['Provenance', provenance.json],
  ['Candidate', views.candidate.json],
  ['Choice', views.choice.json],
  ['RunOptions', views.runOptions.json],
  ['Saving', views.saving.json],
  ['Optimiser', views.optimiser.json],
  ['RunSummary', views.runSummary.json],
  ['Run', views.run.json],
  ['Backend', views.backend.json],
  ['QueueState', queueState.json],
  ['TemplateSummary', views.templateSummary.json],
  ['TemplateContents', views.templateContents.json],
];

/** Lists of values that have a name. */
const LITERALS: readonly (readonly [string, readonly string[]])[] = [
  ['Scope', SCOPES],
  ['RunStatus', RUN_STATUSES],
  ['StepStatus', STEP_STATUSES],
  ['ChoiceStatus', CHOICE_STATUSES],
  ['ArtifactKind', ARTIFACT_KINDS],
  ['AssetKind', ASSET_KINDS],
  ['ErrorCode', Object.keys(ERRORS)],
];

export function pythonTypes(): string {
  const module = createModule();
  for (const [name, schema] of SHARED) module.define(name, schema);
  const methods = Object.values(METHODS).map(({ name, scope, mutation, params, result }) => ({
    name,
    scope,
    mutation,
    params: module.define(`${pascal(name)}Params`, params.json),
    result: module.define(`${pascal(name)}Result`, result.json),
    isOpen: (params.json as ObjectSchema).required === undefined,
  }));
  const notices = Object.entries({ ...NOTIFICATIONS, ...CLIENT_NOTIFICATIONS }).map(
    ([name, { params }]) => [name, module.define(`${pascal(name.replace('$/', 'call/'))}Notice`, params.json)] as const,
  );
  const names = methods.map(({ name }) => name);
  return [
    HEAD,
    `PROTOCOL_VERSION = ${String(PROTOCOL_VERSION)}`,
    ...LITERALS.map(([name, values]) => assignLiteral(name, values)),
    assignLiteral('MethodName', names),
    `#: Scope that each method needs.\nSCOPES: Dict[str, Scope] = {\n${methods.map(({ name, scope }) => `    ${py(name)}: ${py(scope)},\n`).join('')}}`,
    `#: Methods that change something: they take a \`requestKey\`, with which they can be repeated safely.\nMUTATIONS = frozenset(\n    [\n${methods
      .filter(({ mutation }) => mutation)
      .map(({ name }) => `        ${py(name)},\n`)
      .join('')}    ]\n)`,
    module.text(),
    `#: Params of each notification.\nNOTICES = {\n${notices.map(([name, type]) => `    ${py(name)}: ${type},\n`).join('')}}`,
    callsProtocol(methods),
  ]
    .join('\n\n\n')
    .replaceAll(/\n{4,}/g, '\n\n\n')
    .trimEnd()
    .concat('\n');
}

// --- helpers ---

const HEAD = `"""Types of Callsheet's protocol: params and results of every method, params of every notification.

Written by \`npm run generate\` from the schemas that the daemon checks calls with; do not edit. Python 3.10 or later, nothing else is needed.
Clients ignore members that they do not know: dictionaries from the daemon may hold more than is written here.
"""

# ruff: noqa: UP006, UP007, UP013, UP035
from typing import Any, Dict, List, Literal, Protocol, Tuple, TypedDict, Union, overload`;

interface CallRow {
  readonly name: string;
  readonly params: string;
  readonly result: string;
  readonly isOpen: boolean;
}

function callsProtocol(methods: readonly CallRow[]): string {
  const overloads = methods.map(
    ({ name, params, result, isOpen }) =>
      `    @overload\n    def __call__(self, method: Literal[${py(name)}], params: ${params}${isOpen ? ' = ...' : ''}) -> ${result}: ...\n`,
  );
  return `class Call(Protocol):\n    """A function that calls a method: annotate yours with it, and type checkers know the params and the result of each method."""\n\n${overloads.join('\n')}`;
}

function createModule() {
  const names = new Map<JsonSchema, string>();
  const taken = new Set<string>();
  const parts: string[] = [];

  function define(name: string, schema: JsonSchema): string {
    const known = names.get(schema);
    if (known !== undefined) return known;
    if (taken.has(name)) throw new Error(`Two shapes would be called ${name}; name one of them among the shared ones.`);
    taken.add(name);
    const text = isNamed(schema) ? typedDict(name, schema) : `${name} = ${typeOf(name, schema)}`;
    names.set(schema, name);
    parts.push(text);
    return name;
  }

  function typedDict(name: string, { properties = {}, required = [], oneOf }: ObjectSchema & { readonly oneOf?: readonly ObjectSchema[] }) {
    if (oneOf !== undefined) {
      const variants = oneOf.map((variant) => define(`${name}${pascal(String(variant.properties?.['type']?.['const']))}`, variant));
      return `${name} = Union[${variants.join(', ')}]`;
    }
    const members = Object.entries(properties).map(([member, schema]) => ({
      member,
      type: typeOf(`${name}${pascal(member)}`, schema),
      required: required.includes(member),
      description: schema['description'],
    }));
    const needed = members.filter((one) => one.required);
    const free = members.filter((one) => !one.required);
    const comment = (description: unknown): string => (typeof description === 'string' ? `    #: ${description}\n` : '');
    const body = (list: typeof members): string =>
      list.length === 0
        ? '    pass\n'
        : list.map(({ member, type, description }) => `${comment(description)}    ${member}: ${type}\n`).join('');
    // A member that is a word of Python can only be written in the form that takes names as strings.
    if (members.some(({ member }) => KEYWORDS.has(member) || !/^[A-Za-z_]\w*$/.test(member))) {
      const bases = needed.length > 0 && free.length > 0 ? functional(`_${name}`, needed, true) : '';
      if (free.length === 0) return functional(name, needed, true);
      if (needed.length === 0) return functional(name, free, false);
      return `${bases}\n\n${functional(`_${name}Free`, free, false)}\n\n\nclass ${name}(_${name}, _${name}Free):\n    pass\n`;
    }
    if (free.length === 0) return `\nclass ${name}(TypedDict):\n${body(needed)}`;
    if (needed.length === 0) return `\nclass ${name}(TypedDict, total=False):\n${body(free)}`;
    return `\nclass _${name}(TypedDict):\n${body(needed)}\n\nclass ${name}(_${name}, total=False):\n${body(free)}`;
  }

  function typeOf(name: string, schema: JsonSchema): string {
    const known = names.get(schema);
    if (known !== undefined) return known;
    const { type, items, additionalProperties } = schema;
    const choices = schema['enum'];
    if (schema['const'] !== undefined) return `Literal[${py(schema['const'])}]`;
    if (Array.isArray(choices)) {
      return LITERALS.find(([, values]) => sameAs(choices, values))?.[0] ?? `Literal[${choices.map(py).join(', ')}]`;
    }
    if (Array.isArray(type)) return `Union[${type.map((one) => typeOf(name, { type: one })).join(', ')}]`;
    if (type === 'array') {
      const of = typeOf(`${name}Item`, items as JsonSchema);
      return schema['minItems'] === 2 && schema['maxItems'] === 2 ? `Tuple[${of}, ${of}]` : `List[${of}]`;
    }
    if (type === 'object' && isNamed(schema)) return define(name, withoutDescription(schema, names));
    if (type === 'object') return `Dict[str, ${isSchema(additionalProperties) ? typeOf(`${name}Value`, additionalProperties) : 'Any'}]`;
    return { string: 'str', integer: 'int', number: 'float', boolean: 'bool' }[String(type)] ?? 'Any';
  }

  return { define, text: () => parts.join('\n\n\n') };
}

/** A shape that was only given a description where it is used is the shape that it was made of. */
function withoutDescription(schema: JsonSchema, names: ReadonlyMap<JsonSchema, string>): JsonSchema {
  const { properties } = schema;
  return [...names.keys()].find((known) => known['properties'] === properties) ?? schema;
}

function functional(name: string, members: readonly { readonly member: string; readonly type: string }[], total: boolean): string {
  const rows = members.map(({ member, type }) => `        ${py(member)}: ${type},\n`).join('');
  return `${name} = TypedDict(\n    ${py(name)},\n    {\n${rows}    },\n${total ? '' : '    total=False,\n'})`;
}

/** Objects whose members are named; a map from names to values has none. */
function isNamed(schema: JsonSchema): boolean {
  return schema['type'] === 'object' && schema['properties'] !== undefined;
}

function isSchema(value: unknown): value is JsonSchema {
  return typeof value === 'object' && value !== null;
}

function sameAs(a: readonly unknown[], b: readonly unknown[]): boolean {
  return a.length === b.length && a.every((value, at) => value === b[at]);
}

function assignLiteral(name: string, values: readonly string[]): string {
  return `${name} = Literal[\n${values.map((value) => `    ${py(value)},\n`).join('')}]`;
}

function py(value: unknown): string {
  return JSON.stringify(value);
}

function pascal(name: string): string {
  return name
    .split(/[^A-Za-z0-9]+/)
    .filter((part) => part !== '')
    .map((part) => `${part[0]?.toUpperCase() ?? ''}${part.slice(1)}`)
    .join('');
}

const KEYWORDS = new Set(
  'False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield'.split(
    ' ',
  ),
);
