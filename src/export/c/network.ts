/** The steps of a network as calls of functions, on two buffers in turns. */
import type { ActivationType } from '../../kernels/activations.js';
import { type EmbeddingStep, type Param, type Part, type Step, widthAfter } from '../program.js';
import { array, number } from './literals.js';

/** The functions of activations. */
const NAMES: Readonly<Record<ActivationType, string>> = {
  identity: '',
  relu: 'relu',
  'leaky-relu': 'leaky_relu',
  tanh: 'hyperbolic',
  sigmoid: 'sigmoid',
  gelu: 'gelu',
  silu: 'silu',
  elu: 'elu',
  softplus: 'softplus',
  selu: 'selu',
  mish: 'mish',
};

export class NetworkText {
  readonly #part: Part;
  readonly #number: number;

  /** @param i the number of the part, from 0 */
  constructor(part: Part, i: number) {
    this.#part = part;
    this.#number = i;
  }

  /** How many numbers a row has after the steps that members share. */
  get sharedWidth(): number {
    return this.#part.shared.reduce((width, step) => widthAfter(step, width), this.#part.inputs);
  }

  /** The arrays that the code uses: slopes of an identity change nothing. */
  *tensors(code: string): Generator<string> {
    for (const [name, data] of this.#part.tensors) {
      if (!new RegExp(`\\b${this.#tensor(name)}\\b`).test(code)) continue;
      yield `/* ${name} */\n`;
      yield* array('real', this.#tensor(name), data);
    }
    yield '\n';
  }

  /** `shared_0(x, y)` if there are such steps, and `member_0_0(x, y)`, …. */
  *functions(): Generator<string> {
    const { shared, members, inputs } = this.#part;
    if (shared.length > 0) yield* this.#function(`shared_${this.#number}`, shared, inputs);
    for (const [m, steps] of members.entries()) {
      yield* this.#function(`member_${this.#number}_${m}`, steps, this.sharedWidth);
    }
  }

  *#function(name: string, steps: readonly Step[], inputs: number): Generator<string> {
    const body = new Body((param) => this.#ref(param), inputs);
    for (const step of steps) body.add(step);
    yield `static void ${name}(const real *x, real *y) {\n`;
    yield `  real a[${body.most}], b[${body.most}];\n  memcpy(a, x, ${inputs} * sizeof(real));\n`;
    yield body.lines.map((line) => `  ${line}\n`).join('');
    yield `  memcpy(y, ${body.current}, ${body.width} * sizeof(real));\n  (void)b;\n}\n\n`;
  }

  #tensor(name: string): string {
    return `t${this.#number}_${name.replaceAll(/[^A-Za-z0-9]/g, '_')}`;
  }

  #ref({ tensor, start }: Param): string {
    return start === 0 ? this.#tensor(tensor) : `${this.#tensor(tensor)} + ${start}`;
  }
}

class Body {
  readonly lines: string[] = [];
  /** The buffer that holds the last result. */
  current = 'a';
  /** The widest result. */
  most: number;
  #skips = 0;

  constructor(
    readonly ref: (param: Param) => string,
    public width: number,
  ) {
    this.most = Math.max(1, width);
  }

  add(step: Step): void {
    const { current, width, ref, lines } = this;
    switch (step.op) {
      case 'linear': {
        const { weight, bias, factor } = step;
        const b = bias ? ref(bias) : 'NULL';
        this.#call(
          'linear',
          `${weight.rows}, ${weight.columns}, ${ref(weight)}, ${b}, (real)${number(factor)}`,
          weight.columns,
        );
        return;
      }
      case 'bias':
        lines.push(`add(${current}, ${width}, ${ref(step.bias)});`);
        return;
      case 'scale':
        lines.push(`multiply(${current}, ${width}, ${ref(step.factors)});`);
        return;
      case 'activation': {
        // With f(x) = x a slope changes nothing.
        if (step.type === 'identity') return;
        const slope = step.slope ? ref(step.slope) : 'NULL';
        lines.push(
          `activate(${current}, ${width}, ${NAMES[step.type]}, (real)${number(step.parameter)}, ${slope});`,
        );
        return;
      }
      case 'batch-norm': {
        const own = [step.weight, step.bias, step.mean, step.variance].map(ref).join(', ');
        lines.push(`batch_norm(${current}, ${width}, (real)${number(step.epsilon)}, ${own});`);
        return;
      }
      case 'layer-norm':
        lines.push(
          `layer_norm(${current}, ${width}, (real)${number(step.epsilon)}, ${ref(step.weight)}, ${ref(step.bias)});`,
        );
        return;
      case 'residual': {
        const skip = `skip${++this.#skips}`;
        lines.push(`real ${skip}[${width}];`, `memcpy(${skip}, ${current}, sizeof ${skip});`);
        for (const inner of step.steps) this.add(inner);
        lines.push(`add(${this.current}, ${this.width}, ${skip});`);
        return;
      }
      default:
        this.#embed(step);
    }
  }

  /** A function from one buffer to the other. */
  #call(name: string, rest: string, width: number): void {
    const other = this.current === 'a' ? 'b' : 'a';
    this.lines.push(`${name}(${this.current}, ${other}, ${rest});`);
    this.#turn(other, width);
  }

  #turn(other: string, width: number): void {
    this.current = other;
    this.width = width;
    this.most = Math.max(this.most, width);
  }

  #embed(step: EmbeddingStep): void {
    const { columns, others } = step;
    const other = this.current === 'a' ? 'b' : 'a';
    const width = widthAfter(step, this.width);
    const size = columns.length === 0 ? 0 : (width - others.length) / columns.length;
    for (const [j, column] of columns.entries()) {
      const call = embedding(step, j, (param, rows) => {
        const start = j * (param.rows / columns.length) * rows;
        return this.ref({ ...param, start: param.start + start });
      });
      this.lines.push(call.replace('(', `(${this.current}[${column}], ${other} + ${j * size}, `));
    }
    for (const [r, column] of others.entries()) {
      this.lines.push(`${other}[${columns.length * size + r}] = ${this.current}[${column}];`);
    }
    this.#turn(other, width);
  }
}

/** The call for column j, without its first two arguments; `own` gives the rows of a parameter for it. */
function embedding(step: EmbeddingStep, j: number, own: (param: Param, columns: number) => string): string {
  const of = (param: Param) => own(param, param.columns);
  switch (step.op) {
    case 'embedding': {
      const start = step.levels.slice(0, j).reduce((sum, count) => sum + count, 0);
      const { columns: size } = step.weight;
      // All levels lie in one table.
      return `embed_level(${size}, ${start}, ${step.levels[j]}, ${own({ ...step.weight, rows: 0 }, size)});`;
    }
    case 'pbld': {
      const params = [step.frequency, step.phase, step.weight, step.bias].map(of).join(', ');
      return `pbld(${step.frequency.columns}, ${step.bias.columns}, ${params});`;
    }
    case 'periodic': {
      const params = [step.frequency, step.weight, step.bias].map(of).join(', ');
      return `periodic(${step.frequency.columns}, ${step.bias.columns}, ${step.relu ? 1 : 0}, ${params});`;
    }
    case 'piecewise-linear': {
      const params = [step.edges, step.slope, step.bias, step.weight].map(of).join(', ');
      return `piecewise_linear(${step.edges.columns - 1}, ${step.bias.columns}, ${params});`;
    }
  }
}
