/** One call of a tool: its arguments held against its schema, its outcome as a result whatever happens. */
import { type CallToolResult, ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server';
import { closest } from '#graph/suggest.ts';
import { createValidator } from '#protocol/validate.ts';
import type { Schema } from '#protocol/schema.ts';
import { toErrorResult, toResult } from './answer.ts';
import type { TemplateTool } from './catalogue.ts';
import { RUN_OPTIONS } from './run-options.ts';
import { startRun } from './start.ts';
import type { Caller, ToolContext } from './tool.ts';
import { TOOLS } from './tools.ts';

type Given = Readonly<Record<string, unknown>>;

const byName = new Map(TOOLS.map((each) => [each.name, each]));
const validator = createValidator();

/** Throws only for a tool that does not exist. */
export async function callTool(name: string, given: Given, context: ToolContext, caller: Caller): Promise<CallToolResult> {
  const fixed = byName.get(name);
  try {
    if (fixed !== undefined) {
      const values = withoutNulls(given);
      await check(name, fixed.input, values);
      return toResult(await fixed.run(values, context, caller));
    }
    const templates = await context.catalogue.tools();
    const own = templates.find((each) => each.name === name);
    if (own === undefined) throw unknownTool(name, templates);
    return toResult(await runTemplate(own, given, context, caller));
  } catch (error) {
    if (error instanceof ProtocolError || caller.signal.aborted) throw error;
    return toErrorResult(error);
  }
}

// --- helpers ---

/** The daemon itself judges the values: it names every misfit, and knows what a schema cannot say. */
async function runTemplate({ name, template, version, optionsName }: TemplateTool, given: Given, context: ToolContext, caller: Caller) {
  const { [optionsName]: asked, ...parameters } = given;
  const options = isObject(asked) ? withoutNulls(asked) : (asked ?? {});
  await check(`${name}.${optionsName}`, RUN_OPTIONS, options);
  return startRun({ template, version, parameters, options }, context, caller);
}

/** Throws INVALID_PARAMS with one problem for each misfit. */
async function check(name: string, params: Schema<unknown>, values: unknown): Promise<void> {
  await validator.check({ name, params }, values as Given);
}

/** Clients that fill in what was not given fill in null. */
function withoutNulls(given: Given): Given {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
}

function unknownTool(name: string, templates: readonly TemplateTool[]): ProtocolError {
  const near = closest(name, [...byName.keys(), ...templates.map((each) => each.name)]);
  const cure = near === undefined ? 'List the tools again.' : `Did you mean "${near}"?`;
  return new ProtocolError(ProtocolErrorCode.InvalidParams, `There is no tool "${name}". ${cure}`);
}

function isObject(value: unknown): value is Given {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
