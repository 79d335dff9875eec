/** What is known of ComfyUI's own node classes beyond their object info, read from its source (0.3.64 and, where said, newer). */
import type { NodeClass } from '../node-classes.ts';

/** ComfyUI's own, and no class of a node pack that took its name. */
export function isCore({ pythonModule }: NodeClass): boolean {
  return pythonModule === 'nodes' || pythonModule?.startsWith('comfy_extras.') === true;
}

/** The same with the nodes of partners, which ask a service that costs money and never answers twice alike. */
function isOwn(nodeClass: NodeClass): boolean {
  return isCore(nodeClass) || nodeClass.pythonModule?.startsWith('comfy_api_nodes.') === true;
}

/** What a preview gives. */
type ShownAs = 'picture' | 'text';

/**
 * Output nodes that only show: what they give is a temporary file, which the server deletes, or a text. Their source writes
 * nothing else and changes nothing. Later versions also hand their input on; then something may take it, and they stay.
 */
export const PREVIEWS: ReadonlyMap<string, ShownAs> = new Map([
  ['PreviewImage', 'picture'],
  ['MaskPreview', 'picture'],
  ['PreviewAudio', 'picture'],
  ['PreviewAny', 'text'],
]);

/**
 * Savers of pictures, films, sounds and shapes. Callsheet has each of them write below a folder of the attempt's own, of which
 * nobody else is told, and brings home what an output names. Savers of models, latents and data sets are none of them: what
 * they write is there to be loaded by another workflow.
 */
export const MEDIA_SAVERS: ReadonlySet<string> = new Set(
  'SaveImage SaveImageAdvanced SaveAnimatedPNG SaveAnimatedWEBP SaveWEBM SaveVideo SaveSVGNode SaveAudio SaveAudioAdvanced SaveAudioMP3 SaveAudioOpus SaveGLB'.split(
    ' ',
  ),
);

/**
 * A node that is handed the graph itself can read any other node's inputs, or build new ones from it, as loops do: nobody can
 * say what it makes of another graph. ComfyUI's own output nodes, partner nodes among them, only write the graph into their files.
 */
export function seesGraph(nodeClass: NodeClass): boolean {
  const hidden = nodeClass.hidden ?? [];
  const raw = [...nodeClass.inputs.values()].some(({ options }) => options['rawLink'] === true);
  if (raw || hidden.includes('DYNPROMPT') || hidden.includes('EXECUTION_LIST')) return true;
  return hidden.includes('PROMPT') && !(isOwn(nodeClass) && nodeClass.outputNode);
}

/** A widget that front ends of old wrote into the graph and that no node reads. */
export const FRONT_END_ONLY: ReadonlySet<string> = new Set([
  'upload',
  'choose file to upload',
  'video-preview',
  'Random seed after every gen',
]);
