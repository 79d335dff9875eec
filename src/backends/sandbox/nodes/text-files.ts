/** Texts and drawings as files. */
import { cardSvg } from '../draft/card.ts';
import { tagsOf } from '../media/tags.ts';
import type { SvgValue } from '../values.ts';
import { combo, int, link, type NodeContext, type NodeDefinition, NO_SIZE, text } from './define.ts';
import { HIDDEN, reported } from './save.ts';

/** The metadata goes before everything else, as one object in CDATA. */
function withMetadata(svg: string, { prompt, extraPngInfo }: NodeContext, draft: boolean): string {
  const entries = Object.fromEntries(tagsOf(prompt, extraPngInfo, draft).map(({ key, text: said }) => [key, JSON.parse(said) as unknown]));
  const data = JSON.stringify(entries, null, 2).replaceAll(']]>', ']]\\u003e');
  return svg.replace(/<svg[^>]*>/, (start) => `${start}<metadata><![CDATA[${data}]]></metadata>`);
}

export const TEXT_FILE_NODES: readonly NodeDefinition[] = [
  {
    name: 'SaveText',
    displayName: 'Save Text',
    category: 'text',
    module: 'comfy_extras.nodes_text',
    schema: 'v3',
    required: {
      text: text({ forceInput: true, multiline: false }),
      filename_prefix: text({ default: 'ComfyUI', multiline: false }),
      format: combo(['txt', 'csv', 'md', 'json'], { default: 'txt' }),
    },
    hidden: HIDDEN,
    outputs: [['STRING', 'text']],
    isOutput: true,
    run(inputs, context) {
      const said = inputs.string('text');
      const reservation = context.environment.storage.reserve('output', inputs.string('filename_prefix'), NO_SIZE);
      const file = reservation.write(0, inputs.string('format'), Buffer.from(said), '');
      return { outputs: [said], ui: { text: [said], files: [{ ...file }] } };
    },
  },
  {
    name: 'SandboxSvg',
    displayName: 'Sandbox: drawing',
    category: 'sandbox',
    module: 'custom_nodes.callsheet_sandbox',
    schema: 'v1',
    description: 'A storyboard card as an SVG drawing.',
    required: {
      text: text({ default: 'a drawing', multiline: true }),
      width: int({ default: 512, min: 16, max: 4096 }),
      height: int({ default: 320, min: 16, max: 4096 }),
    },
    outputs: [['SVG', 'svg']],
    run(inputs) {
      const shot = {
        prompt: inputs.string('text'),
        negative: '',
        seed: '0',
        steps: 1,
        cfg: 1,
        sampler: 'drawing',
        model: 'sandbox',
        denoise: 1,
      };
      const card = cardSvg({
        width: inputs.integer('width'),
        height: inputs.integer('height'),
        shot,
        index: 0,
        progress: 1,
        counts: false,
        band: false,
      });
      const svg: SvgValue = { kind: 'svg', texts: [card], draft: true };
      return { outputs: [svg] };
    },
  },
  {
    name: 'SaveSVGNode',
    displayName: 'Save SVG',
    category: 'image',
    module: 'comfy_extras.nodes_images',
    schema: 'v3',
    required: { svg: link('SVG'), filename_prefix: text({ default: 'svg/ComfyUI', multiline: false }) },
    hidden: HIDDEN,
    outputs: [['SVG', 'svg']],
    isOutput: true,
    run(inputs, context) {
      const svg = inputs.value('svg', 'svg');
      const reservation = context.environment.storage.reserve('output', inputs.string('filename_prefix'), NO_SIZE);
      const files = svg.texts.map((drawing, index) =>
        reported(reservation.write(index, 'svg', Buffer.from(withMetadata(drawing, context, svg.draft))), svg.draft),
      );
      return { outputs: [svg], ui: { images: files } };
    },
  },
];
