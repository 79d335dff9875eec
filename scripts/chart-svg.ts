// A statechart as SVG for docs/: this file draws the boxes, arrows and words that chart-layout.ts has placed.
import { LINE, type PlacedChart, type PlacedEdge, type PlacedNode } from '../dashboard/inspector/placed-chart.ts';

export function chartSvg({ id, width, height, nodes, edges }: PlacedChart): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(width)} ${String(height)}" width="${String(width)}" height="${String(height)}" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="11">`,
    `<title>Statechart of the ${escape(id)} machine</title>`,
    '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#444"/></marker></defs>',
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    ...nodes.map((node) => box(node)),
    ...edges.map((edge) => arrow(edge)),
    '</svg>',
    '',
  ].join('\n');
}

function box({ key, kind, invokes, isInitial, x, y, width, height }: PlacedNode): string {
  const fill = kind === 'final' ? '#eef2ee' : kind === 'compound' ? '#fafafa' : '#f3f6fb';
  const shape = (inset: number) =>
    `<rect x="${at(x + inset)}" y="${at(y + inset)}" width="${at(width - 2 * inset)}" height="${at(height - 2 * inset)}" rx="7" fill="${fill}" stroke="#334" stroke-width="1"/>`;
  const texts = [key, ...invokes].map(
    (line, nth) =>
      `<text x="${at(x + 12)}" y="${at(y + 20 + nth * LINE)}"${nth === 0 ? ' font-weight="bold"' : ' fill="#777"'}>${escape(line)}</text>`,
  );
  const initial = isInitial
    ? `<circle cx="${at(x - 13)}" cy="${at(y - 9)}" r="4" fill="#334"/><path d="M${at(x - 11)} ${at(y - 7)} ${at(x + 2)} ${at(y + 4)}" stroke="#334" fill="none" marker-end="url(#tip)"/>`
    : '';
  return `<g>${shape(0)}${kind === 'final' ? shape(3) : ''}${texts.join('')}${initial}</g>`;
}

function arrow({ lines, labels }: PlacedEdge): string {
  const paths = lines.map((points) => {
    const corners = points.map(([x, y]) => `${at(x)} ${at(y)}`);
    return `<path d="M${corners.join(' L')}" fill="none" stroke="#444" stroke-width="1" marker-end="url(#tip)"/>`;
  });
  const words = labels.map(({ text, x, y }) => `<text x="${at(x)}" y="${at(y)}" fill="#234">${escape(text)}</text>`);
  return [...paths, ...words].join('');
}

const at = (value: number) => String(Math.round(value * 10) / 10);

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
