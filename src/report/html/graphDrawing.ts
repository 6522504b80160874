/** The computational graph of a gradient check: nodes with value and derivative, edges with local derivative. */
import { textWidth } from '../width.js';
import { layOut, type Point } from './graphLayout.js';
import { html, type Markup, px } from './markup.js';

/** All numbers are text already. */
export interface DrawnGraph {
  readonly output: string;
  readonly nodes: readonly DrawnNode[];
  readonly edges: readonly DrawnEdge[];
}

export interface DrawnNode {
  readonly kind: 'input' | 'operation' | 'output';
  readonly name: string;
  /** What it is computed from, unless that is its name. */
  readonly expression?: string | undefined;
  readonly value: string;
  /** `∂z/∂w1`, and its value. */
  readonly partial: string;
  readonly derivative: string;
  /** The same by hand. */
  readonly manual?: { readonly text: string; readonly passed: boolean } | undefined;
  /** Whether it has no derivative there, but slopes on both sides. */
  readonly isKink?: boolean | undefined;
}

export interface DrawnEdge {
  readonly from: number;
  readonly to: number;
  /** `∂xw1/∂x1` */
  readonly partial: string;
  /** `w1`, and its value; one alone if they are the same. */
  readonly symbol: string;
  readonly value: string;
}

/** A larger graph is no picture that people read. */
const MOST_NODES = 80;
const MOST_EDGES = 160;

/** The width of a letter in a wide font, plain and bold. */
const LETTER = 6.9;
const BOLD_LETTER = 7.7;
const LINE = 16;
const PADDING = 9;
const LONGEST = 34;

/** undefined for a graph that is too large to be read */
export function graphDrawing({ output, nodes, edges }: DrawnGraph): Markup | undefined {
  if (nodes.length > MOST_NODES || edges.length > MOST_EDGES) return undefined;
  const texts = nodes.map((node) => linesOf(node));
  const labels = edges.map(labelOf);
  const boxes = texts.map((lines) => ({
    width: Math.max(...lines.map(lineWidth)) + 2 * PADDING,
    height: lines.length * LINE + 2 * PADDING - 4,
  }));
  const layout = layOut(
    boxes,
    edges.map(({ from, to }, e) => ({ from, to, width: textWidth(labels[e]) * LETTER + 8 })),
  );
  const { width, height } = layout;
  return html`<div class="scroll"><svg class="graph" width="${px(width)}" height="${px(height)}" viewBox="0 0 ${px(width)} ${px(height)}" role="img" aria-label="The computational graph of ${output}">
${layout.edges.map(({ line }) => html`<path class="edge" d="${pathOf(line)}"/>${arrowAt(line[line.length - 1])}\n`)}
${layout.edges.map(({ label }, e) => labelAt(labels[e], label, edges[e]))}
${layout.nodes.map((centre, i) => box(nodes[i], texts[i], centre, boxes[i]))}
</svg></div>`;
}

interface Line {
  readonly text: string;
  readonly style: 'formula' | 'derivative' | 'right' | 'wrong';
}

function linesOf({ name, expression, value, partial, derivative, manual, isKink }: DrawnNode): Line[] {
  const formula = [name, ...(expression === undefined ? [] : [expression]), value].map(short).join(' = ');
  const kink = isKink ? ', a kink' : '';
  return [
    { text: formula, style: 'formula' },
    { text: `${short(partial)} = ${derivative}${kink}`, style: 'derivative' },
    ...(manual
      ? [
          {
            text: `by hand ${short(manual.text)}: ${manual.passed ? 'right' : 'wrong'}`,
            style: manual.passed ? ('right' as const) : ('wrong' as const),
          },
        ]
      : []),
  ];
}

function lineWidth({ text, style }: Line): number {
  return textWidth(text) * (style === 'formula' || style === 'wrong' ? BOLD_LETTER : LETTER);
}

function labelOf({ symbol, value }: DrawnEdge): string {
  return short(symbol === value ? value : `${symbol} = ${value}`);
}

function short(text: string): string {
  return [...text].length <= LONGEST ? text : `${[...text].slice(0, LONGEST - 1).join('')}…`;
}

function box(
  { kind, manual }: DrawnNode,
  lines: readonly Line[],
  { x, y }: Point,
  size: { width: number; height: number },
): Markup {
  const [left, top] = [x - size.width / 2, y - size.height / 2];
  const wrong = manual?.passed === false ? ' wrong' : '';
  return html`<g><rect class="box ${kind}${wrong}" x="${px(left)}" y="${px(top)}" width="${px(size.width)}" height="${px(size.height)}" rx="7"/>${lines.map(
    ({ text, style }, i) =>
      html`<text class="middle ${style}" x="${px(x)}" y="${px(top + PADDING + 9 + i * LINE)}">${text}</text>`,
  )}</g>
`;
}

function labelAt(text: string, { x, y }: Point, { partial, symbol, value }: DrawnEdge): Markup {
  const width = textWidth(text) * LETTER + 4;
  const whole = [partial, symbol, ...(symbol === value ? [] : [value])].join(' = ');
  return html`<g><title>${whole}</title><rect class="under" x="${px(x - width / 2)}" y="${px(y - 9)}" width="${px(width)}" height="18"/><text class="middle local" x="${px(x)}" y="${px(y + 4)}">${text}</text></g>
`;
}

/** Straight within a rank, curved between two. */
function pathOf([start, ...points]: readonly Point[]): string {
  let path = `M${px(start.x)} ${px(start.y)}`;
  let from = start;
  for (const to of points) {
    const middle = px((from.y + to.y) / 2);
    path +=
      from.x === to.x
        ? `V${px(to.y)}`
        : `C${px(from.x)} ${middle} ${px(to.x)} ${middle} ${px(to.x)} ${px(to.y)}`;
    from = to;
  }
  return path;
}

function arrowAt({ x, y }: Point): Markup {
  return html`<path class="arrow" d="M${px(x)} ${px(y)}l-3.5 -6.5h7z"/>`;
}
