// Draws docs/terminal.svg: a run of `mlp train` as a terminal shows it. Run after a build: node docs/terminal.mjs
// The picture is made of the run's real output, in colour. Losses are the same each time; durations are not.
// Letters are text. Lines, blocks and Braille dots are drawn, so that every font shows the same picture.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const COMMAND = 'npx mlp train configs/breast-cancer.json';
const [CELL, ROW, SIZE, MARGIN] = [8, 18, 13, 16];

/** SGR codes of the command's style (src/report/style.ts): what each begins or ends. */
const BEGINS = { 1: 'bold', 2: 'dim', 31: 'bad', 32: 'good', 33: 'validation', 94: 'training' };
const ENDS = { 22: ['bold', 'dim'], 39: ['bad', 'good', 'validation', 'training'] };
/** Box-drawing characters: the sides of the cell that their lines reach. */
const LINES = { '─': 'lr', '│': 'tb', '┤': 'tbl', '└': 'tr', '┬': 'lrb', '┴': 'lrt', '┼': 'lrtb' };
/** Where each bit of a Braille character (from U+2800) puts its dot: column and row. */
const DOTS = [
  [0, 0],
  [0, 1],
  [0, 2],
  [1, 0],
  [1, 1],
  [1, 2],
  [0, 3],
  [1, 3],
];

/** Colours for pages that are light, and for those that are dark. */
const LIGHT = {
  back: '#ffffff',
  edge: '#d0d7de',
  text: '#1f2328',
  good: '#1a7f37',
  bad: '#cf222e',
  training: '#1f6fc0',
  validation: '#c4520a',
};
const DARK = {
  back: '#0d1117',
  edge: '#30363d',
  text: '#e6edf3',
  good: '#3fb950',
  bad: '#f85149',
  training: '#58a6ff',
  validation: '#f0883e',
};

const output = `$ ${COMMAND}\n${run(COMMAND.split(' ').slice(2))}`;
writeFileSync(new URL('terminal.svg', import.meta.url), draw(output.trimEnd().split('\n')));

/** What a command prints on both of its streams, with colours, in a folder that goes away. */
function run(args) {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), 'mlp-picture-'));
  try {
    const stream = openSync(join(folder, 'output'), 'a');
    execFileSync(process.execPath, [join(root, 'bin/mlp.js'), ...args, '--run', join(folder, 'run')], {
      cwd: root,
      env: { ...process.env, FORCE_COLOR: '1', NO_COLOR: '' },
      stdio: ['ignore', stream, stream],
    });
    return readFileSync(join(folder, 'output'), 'utf8').replace(join(folder, 'run'), 'runs/breast-cancer-1');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function draw(rows) {
  const plain = rows.map((row) => row.replace(/\x1b\[\d+m/g, ''));
  const width = Math.max(...plain.map((row) => row.length)) * CELL + 2 * MARGIN;
  const height = rows.length * ROW + 2 * MARGIN;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">
<title>${COMMAND}</title>
<desc>${escaped(plain.join('\n'))}</desc>
<style>
text { font: ${SIZE}px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre }
.bold { font-weight: bold } .dim { opacity: .6 } .dots { stroke-width: 2.2; stroke-linecap: round }
${rulesOf(LIGHT)}
@media (prefers-color-scheme: dark) {
${rulesOf(DARK)}
}
</style>
<rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="8"/>
${rows.flatMap((row, i) => drawRow(row, MARGIN + i * ROW)).join('\n')}
</svg>
`;
}

function rulesOf({ back, edge, text, ...series }) {
  return [
    `rect { fill: ${back}; stroke: ${edge} } text { fill: ${text} } path { stroke: ${text}; fill: none }`,
    ...Object.entries(series).map(
      ([name, colour]) => `text.${name} { fill: ${colour} } path.${name} { stroke: ${colour} }`,
    ),
  ].join('\n');
}

/** The elements of one row: neighbours of the same style and kind are one element. */
function drawRow(row, y) {
  const elements = [];
  const style = new Set();
  let column = 0;
  for (const [, code, words, character] of row.matchAll(/\x1b\[(\d+)m|([!-~]+(?: [!-~]+)*)|(.)/gsu)) {
    if (code) {
      if (BEGINS[code]) style.add(BEGINS[code]);
      for (const name of ENDS[code] ?? []) style.delete(name);
      continue;
    }
    const x = MARGIN + column * CELL;
    const text = words ?? character;
    const path = words ? undefined : pathOf(character, x, y);
    const type = [...style, path && isBraille(character) ? 'dots' : ''].filter(Boolean).join(' ');
    const last = elements.at(-1);
    if (path && last?.path && last.type === type) last.path += path;
    else if (text !== ' ') elements.push({ x, text, path, type, columns: [...text].length });
    column += [...text].length;
  }
  return elements.map(({ x, text, path, type, columns }) => {
    const attributes = type && ` class="${type}"`;
    if (path) return `<path${attributes} d="${path}"/>`;
    const size = `textLength="${columns * CELL}" lengthAdjust="spacingAndGlyphs"`;
    return `<text${attributes} x="${x}" y="${y + ROW - 5}" ${size}>${escaped(text)}</text>`;
  });
}

/** The drawing of a character that is none of a font's letters, in the cell at (x, y). */
function pathOf(character, x, y) {
  const [middle, centre] = [x + CELL / 2, y + ROW / 2];
  if (isBraille(character)) {
    const bits = character.codePointAt(0) - 0x2800;
    const dots = DOTS.filter((_, bit) => bits & (1 << bit));
    return dots.map(([i, j]) => `M${x + 2 + 4 * i} ${y + 2.25 + 4.5 * j}h0`).join('');
  }
  const ends = { l: `H${x}`, r: `H${x + CELL}`, t: `V${y}`, b: `V${y + ROW}` };
  return (
    LINES[character] && [...LINES[character]].map((side) => `M${middle} ${centre}${ends[side]}`).join('')
  );
}

function isBraille(character) {
  return character >= '\u2800' && character <= '\u28ff';
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
