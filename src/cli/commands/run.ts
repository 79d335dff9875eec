/** `callsheet run`: executes a template, or a workflow file given by path, and waits for its files. */
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import type { TemplateDetail } from '#protocol/methods/template.ts';
import { keptObjectInfo } from '#daemon/object-info-keeper.ts';
import { adoptAtBackend } from '../adopt-at-backend.ts';
import { CHOOSE_OPTION, presetsOf } from '../choices/presets.ts';
import { backendOption, chooseBackend } from '../choose-backend.ts';
import { type Arguments, type Command, DATA_OPTION, JSON_OPTION } from '../command.ts';
import { dataDirOf } from '../data-dir.ts';
import { finishRun } from '../finish-run.ts';
import { givenParameters, PARAMETER_OPTIONS } from '../given-parameters.ts';
import { EXIT, type Io, jsonLine, line } from '../io.ts';
import { openSession } from '../open-session.ts';
import { integerOption, onePositional } from '../parse-arguments.ts';
import type { Session } from '../session.ts';
import { demandTemplate } from '../template-names.ts';
import { findGiven, type PathOptions, templateAt } from '../template-path.ts';
import { uploadMedia } from '../upload-media.ts';
import { waitForOthers } from '../wait-for-others.ts';

export const runCommand: Command = {
  name: 'run',
  summary: 'Executes a template and waits for its files.',
  usage: [
    'run <template|file> [-p NAME=VALUE]… [--params FILE] [--choose NAME=VALUE]… [--backend ID] [--priority N] [--out DIR] [--no-cache] [--no-optimize] [--embed] [--json]',
  ],
  options: {
    ...PARAMETER_OPTIONS,
    ...CHOOSE_OPTION,
    backend: { type: 'string', value: 'ID', help: 'a backend of the daemon; without a running one also comfyui=URL or sandbox' },
    priority: { type: 'string', value: 'N', help: 'higher goes first in the queue, -100 to 100 (default 0)' },
    out: { type: 'string', value: 'DIR', help: 'copy the results into DIR; nothing there is overwritten' },
    'no-cache': { type: 'boolean', help: 'make everything anew: nothing is taken from results of earlier runs' },
    'no-optimize': { type: 'boolean', help: 'send every graph as it was written' },
    embed: { type: 'boolean', help: 'put graph and provenance into every file whose kind takes them' },
    templates: {
      type: 'string',
      multiple: true,
      value: 'DIR',
      help: 'without a running daemon: a directory of templates besides the ones shipped',
    },
    ...JSON_OPTION,
    ...DATA_OPTION,
  },
  notes: [
    'A running daemon of the data directory is used; without one it is started in this process and stopped at the end.',
    '<file> is a ComfyUI workflow or a folder with template.json; write it with a slash or its .json ending.',
    'Where the template lets a person choose, the terminal asks; without one the command says how to choose, and waits.',
    'Ctrl-C cancels the run and waits for the proof; a second Ctrl-C leaves at once.',
  ],

  async run(args, io) {
    const name = onePositional(args, 'the template (its id, a workflow file or a template folder)');
    const path = asPath(name, io);
    const given = path === undefined ? undefined : await templateAt(path, name, adopting(args, io));
    try {
      const backend = backendOption(args);
      const templates = [...(given === undefined ? [] : [given.directory]), ...args.texts('templates').map((dir) => resolve(io.cwd, dir))];
      const session = await openSession(args, io, { templates, backends: backend?.own ?? [] });
      try {
        const template = given === undefined ? await demandTemplate(session, name) : await findGiven(session, given);
        return await start(session, template, args, io);
      } finally {
        await session.close();
      }
    } finally {
      given?.dispose();
    }
  },
};

// --- helpers ---

function adopting(args: Arguments, io: Io): PathOptions {
  return {
    infoFiles: [keptObjectInfo(dataDirOf(args, io))],
    adopt: (path, file) => adoptAtBackend(path, file, false, args, io),
  };
}

/** Ids have neither slash nor dot, so what has one is a path. */
function asPath(name: string, io: Io): string | undefined {
  const path = resolve(io.cwd, name);
  if (name.includes('/') || name.includes('\\') || name.startsWith('.') || name.endsWith('.json')) return path;
  return undefined;
}

async function start(session: Session, template: TemplateDetail, args: Arguments, io: Io): Promise<number> {
  const backend = await chooseBackend(session, backendOption(args));
  const presets = presetsOf(args, template);
  const priority = integerOption(args, 'priority', -100, 100);
  const given = givenParameters(args, template.parameters, io.cwd);
  const parameters = await uploadMedia(given, template.parameters, session);
  const { runId } = await session.client.call('run/start', {
    template: template.id,
    version: template.version,
    parameters,
    requestKey: randomUUID(),
    ...(backend === undefined ? {} : { backend }),
    ...(priority === undefined ? {} : { priority }),
    ...(args.flag('no-optimize') ? { optimize: false } : {}),
    ...(args.flag('no-cache') ? { cache: false } : {}),
    ...(args.flag('embed') ? { embed: true } : {}),
  });
  const json = args.flag('json');
  if (json) jsonLine(io.out, { type: 'run', runId, template: template.id, version: template.version });
  else line(io.out, `run ${runId}  ${template.id} ${template.version}`);
  const { queue } = await session.client.call('daemon/status', {});
  if (queue.paused) line(io.err, 'The queue is paused; the run waits. Go on with: callsheet queue resume');
  const code = await finishRun(session, runId, io, { json, out: args.text('out'), onInterrupt: 'cancel', presets });
  if (code !== EXIT.interrupted) await waitForOthers(session, io);
  return code;
}
