/** What of a server changes pixels: two that agree in all of it give the same picture for the same graph, as far as a server can say. */
import { isFields, list, text } from './replies.ts';
import type { Fields } from './replies.ts';

/** Switches that choose how numbers are computed; those about memory, folders and the network do not, but for `--gpu-only`: pictures are then computed where models are. */
const SWITCH =
  /^--(?:gpu-only|force-|dont-upcast|fp\d|bf16|cpu|directml|oneapi|use-.*attention|disable-xformers|fast|deterministic|supports-fp8)/;

/** By name, for people too; only what the server says. */
export function engineOf(system: Fields, devices: unknown, isSandbox: boolean): Readonly<Record<string, string>> {
  const version = text(system['comfyui_version']);
  const torch = text(system['pytorch_version']);
  const device = list(devices).flatMap(deviceName).join(', ');
  const switches = switchesIn(list(system['argv'])).join(' ');
  return {
    kind: isSandbox ? 'sandbox' : 'comfyui',
    ...(version === undefined ? {} : { version }),
    ...(torch === undefined ? {} : { PyTorch: torch }),
    ...(device === '' ? {} : { device }),
    ...(switches === '' ? {} : { switches }),
  };
}

/** `cuda:0 NVIDIA GeForce RTX 3090 : cudaMallocAsync` is the same card under whatever number and allocator. */
function deviceName(device: unknown): readonly string[] {
  if (!isFields(device)) return [];
  const name = (text(device['name']) ?? '').replace(/^[a-z]+:\d+ /, '').replace(/ : [\w ]+$/, '');
  const type = text(device['type']) ?? '';
  return name === '' && type === '' ? [] : [name === '' || name === type ? type : `${type} ${name}`.trim()];
}

/** With the values that follow them: `--fast fp16_accumulation`. */
function switchesIn(argv: readonly unknown[]): readonly string[] {
  const found: string[] = [];
  let isOn = false;
  for (const word of argv) {
    if (typeof word !== 'string') continue;
    if (word.startsWith('--')) isOn = SWITCH.test(word);
    if (isOn) found.push(word);
  }
  return found;
}
