/** A comparison as horizontal bars, in SVG that reads on a light page and on a dark one. */
import type { Plot } from './part.ts';

const WIDTH = 820;
const LABEL = 400;
const ROW = 26;
const TOP = 44;
const VALUE = 90;

export function svg({ title, unit, bars }: Plot): string {
  const height = TOP + bars.length * ROW + 12;
  const most = Math.max(...bars.map(({ value }) => value));
  const rows = bars.map(({ label, value, isOurs }, index) => {
    const y = TOP + index * ROW;
    const length = Math.max(1, (value / most) * (WIDTH - LABEL - VALUE));
    const text = value < 10 ? value.toFixed(1) : value.toFixed(0);
    const weight = isOurs ? ' font-weight="600"' : '';
    return [
      `<text x="${LABEL - 10}" y="${y + 17}" text-anchor="end"${weight}>${escaped(label)}</text>`,
      `<rect x="${LABEL}" y="${y + 4}" width="${length.toFixed(1)}" height="18" rx="2" fill="${isOurs ? '#1f883d' : '#8c959f'}"/>`,
      `<text x="${(LABEL + length + 8).toFixed(1)}" y="${y + 17}"${weight}>${text} ${unit}</text>`,
    ].join('\n');
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    '<style>text{font:13px system-ui,sans-serif;fill:#1f2328}@media(prefers-color-scheme:dark){text{fill:#e6edf3}}</style>',
    `<text x="12" y="24" font-weight="600">${escaped(title)}</text>`,
    ...rows,
    '</svg>',
    '',
  ].join('\n');
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/"/g, '&quot;');
}
