/** Grouped bars as one SVG that needs nothing beside it: axes, units, a legend, the spread of the rounds, and colours for light and dark pages. */

const WIDTH = 860;
const HEIGHT = 380;
const MARGIN = { left: 84, right: 16, top: 64, bottom: 44 };
const PLOT = { width: WIDTH - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
const GROUP_GAP = 0.22;
const TICKS = 5;
/** Told apart by readers who do not see red and green as others do (Okabe and Ito), and on white and black alike. */
const COLOURS = ['#7a7a7a', '#0072b2', '#56b4e9', '#009e73', '#e69f00', '#d55e00'];
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-size: 15px; font-weight: 600 }
  .value { font-size: 10px; text-anchor: middle }
  .grid { stroke: #d0d7de } .axis { stroke: #1f2328 } .spread { stroke: #1f2328; stroke-width: 1.2 }
  .page { fill: #ffffff }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .grid { stroke: #30363d } .axis, .spread { stroke: #e6edf3 } .page { fill: #0d1117 }
  }`;

/**
 * @typedef {{ median: number, min: number, max: number, text: string }} Bar
 * @param {{ title: string, unit: string, series: readonly string[], groups: readonly { label: string, bars: readonly (Bar | undefined)[] }[],
 *   log: boolean }} chart `log`: an axis in powers of ten
 * @returns {string}
 */
export function barChart({ title, unit, series, groups, log }) {
  const values = groups.flatMap(({ bars }) => bars.flatMap(bar => (bar === undefined ? [] : [bar.min, bar.max])));
  const axis = log ? logAxis(values) : linearAxis(values);
  const y = value => MARGIN.top + PLOT.height * (1 - axis.share(value));
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escaped(title)}">`,
    `<style>${STYLE}\n</style>`,
    `<rect class="page" width="${WIDTH}" height="${HEIGHT}"/>`,
    text(MARGIN.left, 22, title, 'class="title"'),
    ...legend(series),
    ...axis.ticks.flatMap(tick => [
      line(MARGIN.left, y(tick), WIDTH - MARGIN.right, y(tick), 'grid'),
      text(MARGIN.left - 8, y(tick) + 4, short(tick), 'text-anchor="end"'),
    ]),
    text(
      16,
      MARGIN.top + PLOT.height / 2,
      log ? `${unit} (log)` : unit,
      `text-anchor="middle" transform="rotate(-90 16 ${MARGIN.top + PLOT.height / 2})"`,
    ),
    ...groups.flatMap((group, i) => barsOf(group, i, groups.length, y)),
    line(MARGIN.left, MARGIN.top + PLOT.height, WIDTH - MARGIN.right, MARGIN.top + PLOT.height, 'axis'),
    '</svg>',
  ];
  return `${parts.join('\n')}\n`;
}

function barsOf({ label, bars }, index, groups, y) {
  const width = PLOT.width / groups;
  const left = MARGIN.left + index * width;
  const bar = (width * (1 - GROUP_GAP)) / bars.length;
  const bottom = MARGIN.top + PLOT.height;
  const drawn = bars.flatMap((one, i) => {
    if (one === undefined) return [];
    const x = left + (width * GROUP_GAP) / 2 + i * bar;
    const top = y(one.median);
    const middle = x + bar / 2;
    return [
      `<rect x="${round(x + 1)}" y="${round(top)}" width="${round(bar - 2)}" height="${round(bottom - top)}" fill="${colour(i)}"/>`,
      line(middle, y(one.min), middle, y(one.max), 'spread'),
      text(middle, Math.min(top, y(one.max)) - 4, one.text, 'class="value"'),
    ];
  });
  return [...drawn, text(left + width / 2, bottom + 20, label, 'text-anchor="middle"')];
}

function legend(series) {
  let x = MARGIN.left;
  return series.flatMap((name, i) => {
    const at = x;
    x += 30 + 7 * name.length;
    return [`<rect x="${at}" y="34" width="12" height="12" fill="${colour(i)}"/>`, text(at + 17, 45, name, '')];
  });
}

function linearAxis(values) {
  const most = Math.max(...values, 1e-9) * 1.08;
  const rough = most / TICKS;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map(factor => factor * power).find(size => size >= rough);
  const ticks = Array.from({ length: Math.floor(most / step) + 1 }, (_, i) => i * step);
  return { ticks, share: value => value / most };
}

function logAxis(values) {
  const positive = values.filter(value => value > 0);
  const [least, most] = positive.length === 0 ? [1, 10] : [Math.min(...positive), Math.max(...positive)];
  const low = Math.floor(Math.log10(least / 2)); // The smallest bar is to be seen.
  const high = Math.max(low + 1, Math.ceil(Math.log10(most)));
  const ticks = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
  return { ticks, share: value => Math.max(0, (Math.log10(Math.max(value, 10 ** low)) - low) / (high - low)) };
}

function short(value) {
  if (value >= 1e6) return `${round(value / 1e6)} M`;
  return value >= 1e4 ? `${round(value / 1e3)} k` : String(round(value));
}

function colour(index) {
  return COLOURS[index % COLOURS.length];
}

function line(x1, y1, x2, y2, name) {
  return `<line class="${name}" x1="${round(x1)}" y1="${round(y1)}" x2="${round(x2)}" y2="${round(y2)}"/>`;
}

function text(x, y, words, attributes) {
  return `<text x="${round(x)}" y="${round(y)}" ${attributes}>${escaped(words)}</text>`;
}

function round(value) {
  return Math.round(value * 100) / 100;
}

function escaped(words) {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
