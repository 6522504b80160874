/** A model as a NumPy script, in the style of a class: a function for the forward pass, and one that predicts. */
import type { ActivationType } from '../../kernels/activations.js';
import type { Exported, ExportRequest, Format } from '../format.js';
import { allSteps, type EmbeddingStep, type Param, type Part, type Program, type Step } from '../program.js';
import { encodingText, suffixOf } from './encoding.js';
import { python } from './literals.js';
import { computeFile, npzFile, prefixOf } from './npz.js';
import { embeddingHelpers, endsInSigmoid, headOf, predictText, SIGMOID } from './script.js';

export const numpy: Format = {
  endings: ['.py'],
  write(request): Exported {
    const { program, ending } = request;
    const weights = npzFile('numpy', program, '.npz');
    return {
      files: [
        { ending, parts: scriptOf(request) },
        { ...weights, isNeeded: true },
      ],
      compute: computeFile(program, weights),
      checkedBy:
        'the weights of the file with the steps that the script takes (the script itself needs Python)',
    };
  },
};

function* scriptOf(request: ExportRequest): Generator<string> {
  const { name } = request;
  const body = [...bodyOf(request)].join('');
  yield headOf(request, `NumPy and ${name}.npz beside this file`, body, []);
  yield body;
}

function* bodyOf(request: ExportRequest): Generator<string> {
  const { program } = request;
  const steps = program.parts.flatMap((part) => [...allSteps(part)]);
  yield '# All weights, by their names in the model file.\nP = dict(np.load(Path(__file__).with_suffix(".npz")))\n\n';
  yield* encodingText(request);
  yield '# The network\n\n\n';
  const types = new Set(
    steps.flatMap((step) => (step.op === 'activation' ? [step.type, NEEDS[step.type]] : [])),
  );
  if (types.has('sigmoid') || endsInSigmoid(program)) yield SIGMOID;
  for (const [type, text] of Object.entries(FUNCTIONS))
    if (types.has(type as ActivationType)) yield `${text}\n\n`;
  yield* embeddingHelpers(steps, 'np');
  for (const [i, part] of program.parts.entries()) yield* networkText(part, i, program);
  yield* predictText(request, false);
}

/** What an activation is made of. */
const NEEDS: Partial<Record<ActivationType, ActivationType>> = { silu: 'sigmoid', mish: 'softplus' };

const FUNCTIONS = {
  softplus: `def softplus(h):
    return np.maximum(h, 0) + np.log1p(np.exp(-np.abs(h)))
`,
  gelu: `def gelu(h):
    return h * np.vectorize(math.erfc, otypes=[h.dtype])(-h / math.sqrt(2)) / 2
`,
} as const;

/** f(h) as an expression. */
function activation(type: ActivationType, p: number): string {
  switch (type) {
    case 'identity':
      return 'h';
    case 'relu':
      return 'np.maximum(h, 0)';
    case 'leaky-relu':
      return `np.where(h < 0, ${python(p)} * h, h)`;
    case 'elu':
      return `np.where(h < 0, ${python(p)} * np.expm1(np.minimum(h, 0)), h)`;
    case 'selu':
      return 'np.where(h < 0, 1.7580993408473768 * np.expm1(np.minimum(h, 0)), 1.0507009873554805 * h)';
    case 'tanh':
      return 'np.tanh(h)';
    case 'silu':
      return 'h * sigmoid(h)';
    case 'mish':
      return 'h * np.tanh(softplus(h))';
    case 'sigmoid':
    case 'softplus':
    case 'gelu':
      return `${type}(h)`;
  }
}

function* networkText(part: Part, i: number, program: Program): Generator<string> {
  const suffix = suffixOf(program, i);
  const { shared, members, inputs, outputs } = part;
  const writer = new StepWriter(part, prefixOf(program, i));
  const hasMembers = members.length > 1;
  if (hasMembers) {
    yield `def member${suffix}(h, m):\n    """The outputs [rows, ${outputs}] of member m."""\n`;
    if (hasNetworks(part)) yield `    n, m = divmod(m, ${part.views})\n`;
    yield* writer.steps(members[0], '    ');
    yield '    return h\n\n\n';
  }
  yield `def forward${suffix}(x):\n`;
  yield hasMembers
    ? `    """The outputs [members, rows, ${outputs}] of the members, from inputs x [rows, ${inputs}]."""\n`
    : `    """The outputs [rows, ${outputs}] of inputs x [rows, ${inputs}]."""\n`;
  yield '    h = x\n';
  yield* writer.steps(shared, '    ');
  if (hasMembers)
    yield `    return np.stack([member${suffix}(h, m) for m in range(${members.length})])\n\n\n`;
  else {
    yield* writer.steps(members[0], '    ');
    yield '    return h\n\n\n';
  }
}

/** Whether members are those of several batch ensembles: member m of network n. */
function hasNetworks({ views, members }: Part): boolean {
  return views > 1 && members.length > views;
}

class StepWriter {
  readonly #part: Part;
  readonly #prefix: string;
  #skips = 0;

  constructor(part: Part, prefix: string) {
    this.#part = part;
    this.#prefix = prefix;
  }

  *steps(steps: readonly Step[], indent: string): Generator<string> {
    for (const step of steps) for (const line of this.#step(step)) yield `${indent}${line}\n`;
  }

  *#step(step: Step): Generator<string> {
    switch (step.op) {
      case 'linear': {
        const product = `h @ ${this.#ref(step.weight)}`;
        const scaled = step.factor === 1 ? product : `${python(step.factor)} * (${product})`;
        yield `h = ${scaled}${step.bias ? ` + ${this.#ref(step.bias)}` : ''}`;
        return;
      }
      case 'bias':
        yield `h = h + ${this.#ref(step.bias)}`;
        return;
      case 'scale':
        yield `h = h * ${this.#ref(step.factors)}`;
        return;
      case 'activation': {
        const f = activation(step.type, step.parameter);
        if (step.slope) {
          yield `a = ${this.#ref(step.slope)}`;
          yield `h = (1 - a) * h + a * ${f}`;
        } else if (f !== 'h') yield `h = ${f}`;
        return;
      }
      case 'batch-norm': {
        const [mean, variance] = [step.mean, step.variance].map((param) => this.#ref(param));
        yield `h = (h - ${mean}) / np.sqrt(${variance} + ${python(step.epsilon)})`;
        yield `h = h * ${this.#ref(step.weight)} + ${this.#ref(step.bias)}`;
        return;
      }
      case 'layer-norm':
        yield `h = (h - h.mean(1, keepdims=True)) / np.sqrt(h.var(1, keepdims=True) + ${python(step.epsilon)})`;
        yield `h = h * ${this.#ref(step.weight)} + ${this.#ref(step.bias)}`;
        return;
      case 'residual': {
        const skip = `skip${++this.#skips}`;
        yield `${skip} = h`;
        for (const inner of step.steps) yield* this.#step(inner);
        yield `h = ${skip} + h`;
        return;
      }
      default:
        yield `h = ${this.#embedding(step)}`;
    }
  }

  #embedding(step: EmbeddingStep): string {
    const own = Object.entries(step).flatMap(([role, value]) => {
      if (role === 'levels') return [`levels=${python([...(value as readonly number[])])}`];
      if (role === 'relu') return [`relu=${python(value)}`];
      return typeof value === 'object' && 'tensor' in value ? [`${role}=${this.#ref(value as Param)}`] : [];
    });
    const columns = `columns=${python([...step.columns])}, others=${python([...step.others])}`;
    return `${step.op.replaceAll('-', '_')}(h, ${columns}, ${own.join(', ')})`;
  }

  /** A parameter: of a member by its number m, of a network of several by n. */
  #ref({ tensor, rows, columns }: Param): string {
    const whole = this.#part.tensors.get(tensor)?.length ?? 0;
    const isOfMember = whole !== rows * columns;
    const name = `${this.#prefix}${tensor}`;
    const network = hasNetworks(this.#part) ? 'n' : 'm';
    const template = name.replace(/members\.\d+\./, `members.{${network}}.`);
    const array = template === name ? `P["${name}"]` : `P[f"${template}"]`;
    if (!isOfMember) return array;
    return rows === 1 ? `${array}[m]` : `${array}[m * ${rows}:(m + 1) * ${rows}]`;
  }
}
