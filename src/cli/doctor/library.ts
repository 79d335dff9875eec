/** The doctor's look at templates and configured backends, through a daemon: the running one, else one in this process. */
import type { Session } from '../session.ts';
import { type Finding, finding } from './finding.ts';

export async function checkTemplates({ client }: Session): Promise<Finding[]> {
  const { templates } = await client.call('template/list');
  const broken = templates.filter(({ runnable }) => !runnable);
  const good = templates.length - broken.length;
  const findings = [
    good > 0
      ? finding('templates', 'ok', `${good} templates can run`)
      : finding('templates', 'warning', 'No template can run.', 'Put one into a directory and name it: callsheet daemon --templates DIR'),
  ];
  for (const { id, version, problems } of broken) {
    const hint = `See: callsheet templates show ${id}@${version}`;
    findings.push(finding('templates', 'warning', `Template ${id} ${version} can not run: ${problems} problems.`, hint));
  }
  return findings;
}

/** Addresses of ComfyUI backends that runs would go to. */
export async function configuredAddresses({ client }: Session): Promise<string[]> {
  const { backends } = await client.call('backend/list');
  return backends.flatMap(({ kind, url }) => (kind === 'comfyui' && url !== undefined ? [url] : []));
}
