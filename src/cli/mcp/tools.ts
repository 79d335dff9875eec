/** The tools that are always there, in the order of the list; those of templates come after them. */
import type { Tool } from './tool.ts';
import { RESULT_TOOLS } from './tools/results.ts';
import { RUN_TOOLS } from './tools/runs.ts';
import { TEMPLATE_TOOLS } from './tools/templates.ts';

export const TOOLS: readonly Tool[] = [...TEMPLATE_TOOLS, ...RUN_TOOLS, ...RESULT_TOOLS];
