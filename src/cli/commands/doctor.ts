/** `callsheet doctor`: names each thing found or missing, and its cure. */
import { type Arguments, type Command, DATA_OPTION, JSON_OPTION } from '../command.ts';
import { dataDirOf } from '../data-dir.ts';
import { checkComfyui } from '../doctor/comfyui.ts';
import { checkDaemon, checkDataDirectory, checkDisk } from '../doctor/data-directory.ts';
import { examine, type Finding, type FindingStatus } from '../doctor/finding.ts';
import { checkTemplates, configuredAddresses } from '../doctor/library.ts';
import { checkBlender, checkFfmpeg, checkNode, checkSharp, checkSqlite } from '../doctor/software.ts';
import { EXIT, type Io, jsonLine, line } from '../io.ts';
import { openSession } from '../open-session.ts';
import { createPaint, type Paint } from '../paint.ts';
import { noMorePositionals } from '../parse-arguments.ts';

const REINSTALL = 'Install the dependencies again: npm ci';

export const doctorCommand: Command = {
  name: 'doctor',
  summary: 'Looks at everything a run needs and names the cure for what is missing.',
  usage: ['doctor [--data DIR] [--json]'],
  options: { ...DATA_OPTION, ...JSON_OPTION },
  notes: ['Exit code 1 when something blocks runs. With --json: {"ok":…,"findings":[{"check","status","message","hint"}]}'],

  async run(args, io) {
    noMorePositionals(args);
    const findings = await round(args, io);
    const ok = !findings.some(({ status }) => status === 'error');
    if (args.flag('json')) jsonLine(io.out, { ok, findings });
    else print(findings, ok, io);
    return ok ? EXIT.done : EXIT.failed;
  },
};

// --- helpers ---

async function round(args: Arguments, io: Io): Promise<Finding[]> {
  const dataDir = dataDirOf(args, io);
  const parts = [
    checkNode(process.versions.node),
    await examine('sqlite', checkSqlite, REINSTALL),
    await examine('sharp', checkSharp, REINSTALL),
    await examine('data', () => checkDataDirectory(dataDir), 'Name another directory: --data DIR'),
    await examine('disk', () => checkDisk(dataDir), 'Name another directory: --data DIR'),
    await examine('daemon', () => checkDaemon(dataDir, io), 'Stop the process that answers there, then start: callsheet daemon'),
    await throughDaemon(args, io),
    await checkFfmpeg(io.env),
    checkBlender(io.env['PATH'] ?? ''),
  ];
  return parts.flat();
}

async function throughDaemon(args: Arguments, io: Io): Promise<Finding[]> {
  let addresses: string[] = [];
  const templates = await examine(
    'templates',
    async () => {
      const session = await openSession(args, io, { scratch: true });
      try {
        addresses = await configuredAddresses(session);
        return await checkTemplates(session);
      } finally {
        await session.close();
      }
    },
    'A daemon could not be started to read them; see the other findings.',
  );
  return [...templates, ...(await checkComfyui(addresses))];
}

function print(findings: readonly Finding[], ok: boolean, io: Io): void {
  const paint = createPaint(io.out, io.env);
  for (const { check, status, message, hint } of findings) {
    line(io.out, `${mark(status, paint)} ${check.padEnd(9)} ${message}`);
    if (hint !== undefined && status !== 'ok') line(io.out, `            ${paint.faint(hint)}`);
  }
  line(io.out, ok ? 'Nothing blocks a run.' : 'Something blocks runs; the cures stand above.');
}

function mark(status: FindingStatus, paint: Paint): string {
  if (status === 'ok') return paint.good('✔');
  if (status === 'error') return paint.bad('✖');
  return status === 'warning' ? paint.busy('!') : paint.faint('·');
}
