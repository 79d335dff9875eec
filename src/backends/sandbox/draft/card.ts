/** The storyboard card: what stands in for a picture that only a model could make. Same inputs, same card. */
import { createHash } from 'node:crypto';
import type { Shot } from '../values.ts';

export interface CardOptions {
  readonly width: number;
  readonly height: number;
  readonly shot: Shot;
  /** Place in the batch, 0-based. */
  readonly index: number;
  /** 0..1 while the sampler works, 1 when it is done; of a film's pictures the time. */
  readonly progress: number;
  /** Whether steps are counted on it until it is done; true when absent. */
  readonly counts?: boolean;
  /** Over a source picture the card is a band at the bottom instead of the whole frame. */
  readonly band: boolean;
  /** What happened to the latent before and after this shot. */
  readonly marks?: readonly string[];
}

/** The card as an SVG of the given size; as a band it leaves the rest transparent. */
export function cardSvg(options: CardOptions): string {
  const { width, height, shot, index, progress, counts = true, band } = options;
  const marks = [...(shot.marks ?? []), ...(options.marks ?? [])].map((mark) => `\0${mark}`).join('');
  const hash = createHash('sha256').update(`${shot.prompt}\0${shot.negative}\0${shot.seed}\0${index}${marks}`).digest();
  const hue = (place: number): number => Math.round(((hash[place] ?? 0) / 255) * 360);
  const unit = Math.max(6, Math.min(width, height) / 24);
  const columns = Math.max(8, Math.floor((width - unit * 2) / (unit * 0.6)));
  const lines = wrap(shot.prompt === '' ? '(no prompt)' : shot.prompt, columns, band ? 2 : 8);
  const facts = [
    `seed ${shot.seed}${index > 0 ? ` + ${index}` : ''} · ${width} × ${height}`,
    `${shot.sampler} · ${shot.steps} steps · cfg ${shot.cfg}${shot.denoise < 1 ? ` · denoise ${shot.denoise}` : ''}`,
    shot.model,
  ];
  const bandHeight = Math.min(height, unit * (lines.length + facts.length * 0.8 + 2.7));
  const top = band ? height - bandHeight : 0;
  const backdrop = band
    ? `<rect y="${top}" width="${width}" height="${bandHeight}" fill="#101018" fill-opacity="0.55"/>${strip(hash, width, top, unit)}`
    : `<rect width="${width}" height="${height}" fill="url(#sky)"/>${shapes(hash, width, height)}<rect width="${width}" height="${height}" fill="#101018" fill-opacity="0.35"/>`;
  const step = Math.round(progress * shot.steps);
  const counter = counts && progress < 1 ? [row(`${step}/${shot.steps}`, unit * 6, top + unit * 1.4, unit, '#ffd166', true)] : [];
  const rows = [
    draftMark(unit, top + unit * 0.7, unit * 0.12),
    ...counter,
    ...lines.map((line, place) => row(line, unit, top + unit * (2.6 + place), unit * 0.9, '#ffffff', false)),
    ...facts.map((line, place) =>
      row(clip(line, columns * 1.5), unit, top + unit * (2.7 + lines.length + place * 0.8), unit * 0.65, '#d8d8e8', false),
    ),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><defs><linearGradient id="sky" x1="0" y1="0" x2="1" y2="1"><stop offset="0" stop-color="hsl(${hue(0)},45%,38%)"/><stop offset="1" stop-color="hsl(${hue(1)},50%,22%)"/></linearGradient></defs>${backdrop}${rows.join('')}<rect x="0" y="${height - unit * 0.25}" width="${width * progress}" height="${unit * 0.25}" fill="#ffd166"/></svg>`;
}

/** D, R, A, F, T as strokes on a grid of 4 × 6: the mark must stand on machines without a single font, too. */
const MARK = [
  'M0 0V6H2L4 4.5V1.5L2 0Z',
  'M0 6V0H3L4 1V2.2L3 3.2H0M2 3.2L4 6',
  'M0 6V2L2 0L4 2V6M0 3.8H4',
  'M0 6V0H4M0 3H3',
  'M0 0H4M2 0V6',
];

function draftMark(x: number, y: number, scale: number): string {
  const letters = MARK.map((path, place) => `<path transform="translate(${place * 6.2} 0)" d="${path}"/>`).join('');
  return `<g transform="translate(${x} ${y}) scale(${scale})" fill="none" stroke="#ffd166" stroke-width="1.1" stroke-linejoin="round">${letters}</g>`;
}

/** On a band, where no sky shows what was asked for: cells whose colours do. */
function strip(hash: Buffer, width: number, top: number, unit: number): string {
  const side = unit * 0.4;
  const cells = [...hash.subarray(0, 12)].map(
    (byte, place) =>
      `<rect x="${width - side * (13 - place)}" y="${top + side}" width="${side}" height="${side}" fill="hsl(${Math.round((byte / 255) * 360)},50%,50%)"/>`,
  );
  return cells.join('');
}

/** Three discs and a horizon, placed by the hash: enough to tell two seeds apart at a glance. */
function shapes(hash: Buffer, width: number, height: number): string {
  const part = (place: number): number => (hash[place] ?? 0) / 255;
  const discs = [0, 1, 2].map((number) => {
    const base = 4 + number * 4;
    const colour = `hsl(${Math.round(part(base) * 360)},55%,55%)`;
    return `<circle cx="${part(base + 1) * width}" cy="${part(base + 2) * height}" r="${(0.08 + part(base + 3) * 0.22) * Math.min(width, height)}" fill="${colour}" fill-opacity="0.5"/>`;
  });
  const horizon = (0.55 + part(20) * 0.3) * height;
  return `${discs.join('')}<rect y="${horizon}" width="${width}" height="${height - horizon}" fill="hsl(${Math.round(part(21) * 360)},35%,18%)" fill-opacity="0.6"/>`;
}

function row(text: string, x: number, y: number, size: number, fill: string, bold: boolean): string {
  const weight = bold ? ' font-weight="bold"' : '';
  return `<text x="${x}" y="${y}" font-family="DejaVu Sans Mono, monospace" font-size="${size}" fill="${fill}"${weight}>${escape(text)}</text>`;
}

function wrap(text: string, columns: number, limit: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    if (line !== '' && line.length + word.length + 1 > columns) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  lines.push(line);
  const kept = lines.slice(0, limit).map((part) => clip(part, columns));
  if (lines.length > limit) kept[limit - 1] = clip(`${kept[limit - 1] ?? ''} …`, columns);
  return kept;
}

function clip(text: string, length: number): string {
  const characters = Array.from(text);
  return characters.length <= length ? text : `${characters.slice(0, Math.max(1, Math.floor(length) - 1)).join('')}…`;
}

function escape(text: string): string {
  const named: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
  // XML 1.0 has no way to write most control characters.
  return text
    .replaceAll(/[&<>]/g, (character) => named[character] ?? '')
    .replaceAll(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd');
}
