/** Draws lines over a few steps as SVG: readable on light and on dark pages, without scripts. */

const SIZE = { width: 720, height: 400 };
const AREA = { left: 64, right: 24, top: 56, bottom: 56 };
const TICKS = 5;
const DOT = 4;
/** Distinguishable with every kind of color blindness, on both backgrounds. */
const COLORS = ['#2f86d1', '#d55e00', '#009e73', '#cc79a7'];
const STYLE = [
  'text { font: 13px system-ui, sans-serif; fill: #1f2328 }',
  '.title { font-size: 15px; font-weight: 600 }',
  '.grid { stroke: #d1d9e0; stroke-width: 1 }',
  '.model { fill: none; stroke: #59636e; stroke-width: 1.5; stroke-dasharray: 6 4 }',
  '.line { fill: none; stroke-width: 2 }',
  '.sample { fill-opacity: 0.45 }',
  '@media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .grid { stroke: #3d444d } .model { stroke: #9198a1 } }',
].join(' ');

/**
 * @typedef {object} Line
 * @property {string} name @property {readonly [x: number, y: number][]} points
 * @property {readonly [x: number, y: number][]} [samples] raw values behind the points, as faint dots
 * @property {boolean} [isModel] a dashed line without dots
 */

/**
 * @param {{ title: string, x: string, y: string, lines: readonly Line[] }} plot names of the axes, with units
 * @returns {string} a complete SVG document
 */
export function linePlot({ title, x, y, lines }) {
  const all = lines.flatMap(({ points, samples = [] }) => [...points, ...samples]);
  const steps = [...new Set(lines.flatMap(({ points }) => points.map(([at]) => at)))].sort((a, b) => a - b);
  const top = niceAbove(Math.max(...all.map(([, value]) => value)));
  const [from, to] = [steps[0], steps.at(-1)];
  const { width, height } = SIZE;
  const xOf = at => round(AREA.left + ((at - from) / (to - from)) * (width - AREA.left - AREA.right));
  const yOf = value => round(height - AREA.bottom - (value / top) * (height - AREA.top - AREA.bottom));
  const ticks = Array.from({ length: TICKS + 1 }, (_, i) => (top * i) / TICKS);
  const place = ([at, value]) => `${xOf(at)},${yOf(value)}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">`,
    `<style>${STYLE}</style>`,
    `<text class="title" x="${AREA.left}" y="22">${title}</text>`,
    ...ticks.flatMap(value => [
      `<line class="grid" x1="${AREA.left}" x2="${width - AREA.right}" y1="${yOf(value)}" y2="${yOf(value)}"/>`,
      `<text x="${AREA.left - 8}" y="${yOf(value) + 4}" text-anchor="end">${round(value)}</text>`,
    ]),
    ...steps.map(at => `<text x="${xOf(at)}" y="${height - AREA.bottom + 20}" text-anchor="middle">${at}</text>`),
    `<text x="${(AREA.left + width - AREA.right) / 2}" y="${height - 12}" text-anchor="middle">${x}</text>`,
    `<text x="16" y="${AREA.top - 14}">${y}</text>`,
    ...lines.flatMap((line, i) => drawing(line, COLORS[i % COLORS.length], { place, xOf, yOf })),
    ...legend(lines),
    '</svg>',
    '',
  ].join('\n');
}

function drawing({ points, samples = [], isModel = false }, color, { place, xOf, yOf }) {
  const path = points.map(place).join(' ');
  if (isModel) return [`<polyline class="model" points="${path}"/>`];
  const dot =
    (radius, kind) =>
    ([at, value]) =>
      `<circle ${kind}cx="${xOf(at)}" cy="${yOf(value)}" r="${radius}" fill="${color}"/>`;
  return [
    ...samples.map(dot(DOT / 1.5, 'class="sample" ')),
    `<polyline class="line" stroke="${color}" points="${path}"/>`,
    ...points.map(dot(DOT, '')),
  ];
}

function legend(lines) {
  const [rowHeight, left] = [20, AREA.left + 16];
  return lines.flatMap(({ name, isModel }, i) => {
    const y = AREA.top + 8 + i * rowHeight;
    const line = isModel ? 'class="model"' : `class="line" stroke="${COLORS[i % COLORS.length]}"`;
    return [
      `<line ${line} x1="${left}" x2="${left + 28}" y1="${y}" y2="${y}"/>`,
      `<text x="${left + 36}" y="${y + 4}">${name}</text>`,
    ];
  });
}

/** A round number that is not below the value. */
function niceAbove(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10].map(factor => factor * power).find(nice => nice >= value);
}

function round(number) {
  return Math.round(number * 10) / 10;
}
