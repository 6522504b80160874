/** What the Python scripts have in common behind the network: embeddings, predictions, and the command line. */
import { printable } from '../../text.js';
import type { ExportRequest } from '../format.js';
import type { Output, Part, Program, Step } from '../program.js';
import { suffixOf } from './encoding.js';
import { python } from './literals.js';

/** Modules of Python that a script may need, in the order of their names. */
const STANDARD = ['csv', 'datetime', 'math', 're', 'sys'];

/** The head of a script: what it is, and what it imports, of which the body says what is used. */
export function headOf(
  { title, facts, name, ending }: ExportRequest,
  needs: string,
  body: string,
  libraries: readonly string[],
): string {
  const known = facts.map(([key, value]) => `${docText(`${key}: ${value}`)}\n`).join('');
  const used = STANDARD.filter((module) => body.includes(`${module}.`));
  const others = [
    'numpy as np',
    ...libraries.map((module) => (module === 'torch.nn' ? 'torch.nn as nn' : module)),
  ];
  const command = `    python ${docText(name)}${ending} data.csv > predictions.csv`;
  return `"""${docText(title)}\n\n${command}\n\nIt needs ${docText(needs)}.\n\n${known}"""

${used.map((module) => `import ${module}\n`).join('')}from pathlib import Path

${others.map((module) => `import ${module}\n`).join('')}
`;
}

/** Text within a docstring. */
function docText(text: string): string {
  return printable(text).replaceAll('\\', '\\\\').replaceAll('"""', '\\"\\"\\"');
}

/** The functions of embeddings that the steps use, of NumPy or torch: both have these operations. */
export function* embeddingHelpers(steps: readonly Step[], library: 'np' | 'torch'): Generator<string> {
  const used = new Set(steps.map(({ op }) => op));
  const ops = ['embedding', 'pbld', 'periodic', 'piecewise-linear'] as const;
  const isTorch = library === 'torch';
  const join = isTorch
    ? 'torch.cat([y.flatten(-2), x[..., others]], -1)'
    : 'np.concatenate([y.reshape(len(x), -1), x[:, others]], 1)';
  if (ops.some((op) => used.has(op))) {
    yield `def embedded(y, x, others):\n    """The vectors y [rows, columns, size] side by side, and the other columns of x behind them."""\n    return ${join}\n\n\n`;
  }
  if (ops.some((op) => op !== 'embedding' && used.has(op))) {
    const einsum = isTorch
      ? 'torch.einsum("...jl,jol->...jo", waves, weight)'
      : 'np.einsum("ijl,jol->ijo", waves, weight)';
    yield `def angles(x, columns, frequency):\n    """2π·f·x [rows, columns, k], without whole turns."""\n    turns = x[..., columns, None] * frequency\n    return 2 * math.pi * (turns - ${library}.round(turns))\n\n\n`;
    yield `def linears(waves, weight, bias):\n    """W·waves + b of each column: W [columns * size, k], b [columns, size]."""\n    weight = weight.reshape(bias.shape[0], bias.shape[1], -1)\n    return ${einsum} + bias\n\n\n`;
  }
  const concat = (parts: string, axis: number) =>
    isTorch ? `torch.cat([${parts}], ${axis})` : `np.concatenate([${parts}], ${axis})`;
  if (used.has('embedding')) {
    const table = isTorch
      ? 'torch.cat([torch.zeros_like(weight[:1]), weight])'
      : 'np.concatenate([np.zeros_like(weight[:1]), weight])';
    const level = isTorch ? 'x[..., columns].trunc().long()' : 'np.trunc(x[:, columns]).astype(int)';
    const array = (values: string) => (isTorch ? `torch.tensor(${values})` : `np.array(${values})`);
    yield `def embedding(x, columns, others, levels, weight):
    """The vector of each level, from 1; zeros for a number that is no level."""
    level = ${level}
    start = ${array('[sum(levels[:j]) for j in range(len(levels))]')}
    row = ${library}.where((level >= 1) & (level <= ${array('levels')}), start + level, ${isTorch ? 'torch.zeros_like(level)' : '0'})
    return embedded(${table}[row], x, others)


`;
  }
  if (used.has('pbld')) {
    yield `def pbld(x, columns, others, frequency, phase, weight, bias):
    """[x, W·cos(2π·f·x + p) + b] of each column."""
    y = linears(${library}.cos(angles(x, columns, frequency) + phase), weight, bias)
    return embedded(${concat('x[..., columns, None], y', -1)}, x, others)


`;
  }
  if (used.has('periodic')) {
    const relu = isTorch ? 'torch.relu(y)' : 'np.maximum(y, 0)';
    yield `def periodic(x, columns, others, relu, frequency, weight, bias):
    """W·[cos(2π·f·x), sin(2π·f·x)] + b of each column, and its relu."""
    phi = angles(x, columns, frequency)
    y = linears(${concat(`${library}.cos(phi), ${library}.sin(phi)`, -1)}, weight, bias)
    return embedded(${relu} if relu else y, x, others)


`;
  }
  if (used.has('piecewise-linear')) {
    const einsum = isTorch
      ? 'torch.einsum("...jt,jto->...jo", e, weight)'
      : 'np.einsum("ijt,jto->ijo", e, weight)';
    const [least, most] = isTorch
      ? ['torch.full_like(width, 0.0)', 'torch.full_like(width, 1.0)']
      : ['np.zeros_like(width)', 'np.ones_like(width)'];
    yield `def piecewise_linear(x, columns, others, edges, slope, bias, weight):
    """a·x + b + W·e(x): e(x) is linear within the bin of x, 1 in those below and 0 in those above."""
    m, size = bias.shape
    edges = edges.reshape(m, -1)
    weight = weight.reshape(m, -1, size)
    width = edges[:, 1:] - edges[:, :-1]
    # The first and the last bin that are wider than nothing have no end outside.
    least, most = ${least}, ${most}
    least[:, 0] = -math.inf
    for j in range(m):
        wide = [t for t in range(width.shape[1]) if width[j, t] > 0]
        most[j, wide[-1] if wide else 0] = math.inf
    column = x[..., columns, None]
    e = (column - edges[:, :-1]) / ${library}.where(width > 0, width, ${isTorch ? 'torch.ones_like(width)' : '1'})
    e = ${library}.where(width > 0, ${library}.maximum(${library}.minimum(e, most), least), ${isTorch ? 'torch.zeros_like(e)' : '0'})
    return embedded(slope * column + bias + ${einsum}, x, others)


`;
  }
}

export const SIGMOID = `def sigmoid(h):
    e = np.exp(-np.abs(h))
    return np.where(h >= 0, 1, e) / (1 + e)


`;

/** Whether probabilities are made by a sigmoid. */
export function endsInSigmoid({ output, parts }: Program): boolean {
  if (output.kind === 'labels') return true;
  return output.kind === 'classes' && parts.some(({ outputs }) => outputs === 1);
}

/**
 * `predict(rows)`: probabilities or values [rows, n] in NumPy, whatever the network is made of; and the
 * command line. `forward` gives the outputs as a NumPy array.
 */
export function* predictText({ program }: ExportRequest, definesSigmoid: boolean): Generator<string> {
  const { output, parts } = program;
  if (definesSigmoid && endsInSigmoid(program)) yield SIGMOID;
  if (output.kind === 'classes' && parts.some(({ outputs }) => outputs > 1)) yield SOFTMAX;
  for (const [i, part] of parts.entries()) {
    const suffix = suffixOf(program, i);
    yield `def predict${suffix}(rows):\n    """${describe(output)}, from rows of text by column."""\n`;
    yield `    h = forward${suffix}(encode${suffix}(rows)).astype(float)\n`;
    yield* partLines(part, output);
    yield '\n\n';
  }
  if (parts.length > 1) {
    const total = parts.reduce((sum, { weight }) => sum + weight, 0);
    const terms = parts.map(({ weight }, i) => `${weight} * predict_${i + 1}(rows)`).join(' + ');
    yield `def predict(rows):\n    """The mean of the members."""\n    return (${terms}) / ${total}\n\n\n`;
  }
  yield* mainText(output);
}

const SOFTMAX = `def softmax(h):
    e = np.exp(h - h.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


`;

function describe(output: Output): string {
  switch (output.kind) {
    case 'classes':
      return 'The probabilities [rows, classes]';
    case 'labels':
      return 'The probability of yes of each target [rows, targets]';
    case 'quantiles':
      return 'The quantiles [rows, quantiles]';
    case 'numbers':
      return 'The predictions [rows, targets]';
  }
}

function* partLines({ members, outputs, units = [] }: Part, output: Output): Generator<string> {
  const mean = members.length > 1 ? '.mean(0)' : '';
  if (output.kind === 'classes') {
    const p = outputs > 1 ? 'softmax(h)' : 'np.concatenate([sigmoid(-h), sigmoid(h)], -1)';
    yield `    return ${p}${mean}\n`;
    return;
  }
  if (output.kind === 'labels') {
    yield `    return sigmoid(h)${mean}\n`;
    return;
  }
  if (mean !== '') yield '    h = h.mean(0)\n';
  if (output.kind === 'quantiles') yield '    h = np.sort(h, 1)\n';
  const [first = {}] = units;
  const row = (of: (unit: (typeof units)[number]) => number | undefined) =>
    python(units.map((unit) => of(unit) ?? 0));
  if (first.link) yield '    h = np.exp(h)\n';
  if (first.scale !== undefined)
    yield `    h = np.array(${row(({ scale }) => scale)}) * h + np.array(${row(({ mean }) => mean)})\n`;
  if (first.inverse) yield `    h = np.${first.inverse}(h)\n`;
  if (first.range) {
    yield `    h = np.clip(h, ${row(({ range }) => range?.[0])}, ${row(({ range }) => range?.[1])})\n`;
  }
  yield '    return h\n';
}

function* mainText(output: Program['output']): Generator<string> {
  yield 'def main():\n    rows = read_rows(sys.argv[1])\n    p = predict(rows)\n';
  yield '    out = csv.writer(sys.stdout, lineterminator="\\n")\n';
  switch (output.kind) {
    case 'classes':
      yield `    classes = ${python([...output.classes])}\n`;
      yield '    out.writerow(["prediction", *(f"probability_{name}" for name in classes)])\n';
      yield '    out.writerows([classes[own.argmax()], *own] for own in p)\n';
      break;
    case 'labels':
      yield `    targets = ${python([...output.targets])}\n    values = ${python(output.values.map((pair) => [...pair]))}\n`;
      yield '    out.writerow([*(f"prediction_{name}" for name in targets), *(f"probability_{name}" for name in targets)])\n';
      yield '    out.writerows([*(values[j][int(own[j] > 0.5)] for j in range(len(targets))), *own] for own in p)\n';
      break;
    case 'quantiles':
      yield `    out.writerow(["prediction", *(f"quantile_{q}" for q in ${python([...output.quantiles])})])\n`;
      yield `    out.writerows([own[${output.middle}], *own] for own in p)\n`;
      break;
    case 'numbers':
      yield output.targets.length === 1
        ? '    out.writerow(["prediction"])\n'
        : `    out.writerow([f"prediction_{name}" for name in ${python([...output.targets])}])\n`;
      yield '    out.writerows(p)\n';
  }
  yield '\n\nif __name__ == "__main__":\n    main()\n';
}
