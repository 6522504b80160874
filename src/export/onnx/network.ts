/** The steps of a network as nodes. Formulas and shapes as in src/network. */
import type { FloatArray } from '../../kernels/kernels.js';
import { type EmbeddingStep, elementsOf, type Param, type Part, type Step, widthAfter } from '../program.js';
import type { Graph } from './graph.js';

/** Adds the steps of a part of an ensemble. `prefix` stands before the names of its tensors. */
export class NetworkNodes {
  readonly #graph: Graph;
  readonly #part: Part;
  readonly #prefix: string;

  constructor(graph: Graph, part: Part, prefix: string) {
    this.#graph = graph;
    this.#part = part;
    this.#prefix = prefix;
  }

  /** The output of each member [rows, outputs] for x [rows, inputs]. */
  members(x: string): string[] {
    const { shared, members, inputs } = this.#part;
    const y = this.#steps(shared, x, inputs);
    return members.map((steps) => this.#steps(steps, y.value, y.width).value);
  }

  #steps(steps: readonly Step[], x: string, inputs: number): { value: string; width: number } {
    let value = x;
    let width = inputs;
    for (const step of steps) {
      value = this.#step(step, value, width);
      width = widthAfter(step, width);
    }
    return { value, width };
  }

  #step(step: Step, x: string, width: number): string {
    const graph = this.#graph;
    switch (step.op) {
      case 'linear': {
        const weight = this.#param(step.weight);
        const bias = step.bias && this.#param(step.bias, true);
        // Before the product: onnxruntime makes a float32 of a factor behind a product of doubles.
        const scaled = step.factor === 1 ? x : graph.node('Mul', [x, this.#number(step.factor)]);
        return graph.node('Gemm', bias ? [scaled, weight, bias] : [scaled, weight]);
      }
      case 'bias':
        return graph.node('Add', [x, this.#param(step.bias, true)]);
      case 'scale':
        return graph.node('Mul', [x, this.#param(step.factors, true)]);
      case 'activation': {
        const y = this.#activation(step.type, step.parameter, x);
        if (!step.slope) return y;
        // (1 − α)·x + α·f(x)
        const slope = this.#param(step.slope, true);
        const rest = graph.node('Sub', [this.#number(1), slope]);
        return graph.node('Add', [graph.node('Mul', [rest, x]), graph.node('Mul', [slope, y])]);
      }
      case 'batch-norm': {
        const params = [step.weight, step.bias, step.mean, step.variance].map((param) =>
          this.#param(param, true),
        );
        return graph.node('BatchNormalization', [x, ...params], { epsilon: { float: step.epsilon } });
      }
      case 'layer-norm': {
        const params = [step.weight, step.bias].map((param) => this.#param(param, true));
        const attributes = { axis: { int: -1 }, epsilon: { float: step.epsilon } };
        return graph.node('LayerNormalization', [x, ...params], attributes);
      }
      case 'residual':
        return graph.node('Add', [x, this.#steps(step.steps, x, width).value]);
      default:
        return this.#embedding(step, x, width);
    }
  }

  #activation(type: Extract<Step, { op: 'activation' }>['type'], parameter: number, x: string): string {
    const graph = this.#graph;
    switch (type) {
      case 'identity':
        return x;
      case 'relu':
        return graph.node('Relu', [x]);
      case 'tanh':
        return graph.node('Tanh', [x]);
      case 'sigmoid':
        return graph.node('Sigmoid', [x]);
      case 'leaky-relu':
        return this.#bothSides(x, 1, (below) => graph.node('Mul', [below, this.#number(parameter)]));
      case 'elu':
        return this.#bothSides(x, 1, (below) => this.#exponential(below, parameter));
      case 'selu':
        return this.#bothSides(x, SELU.scale, (below) => this.#exponential(below, SELU.limit));
      case 'softplus':
        return this.#softplus(x);
      case 'silu': {
        if (graph.real === 'float') return graph.node('Mul', [x, graph.node('Sigmoid', [x])]);
        // x/(1 + e^−x): onnxruntime makes of the other form an operator that it does not have for doubles.
        const more = graph.node('Add', [graph.node('Exp', [graph.node('Neg', [x])]), this.#number(1)]);
        return graph.node('Div', [x, more]);
      }
      case 'mish':
        return graph.node('Mul', [x, graph.node('Tanh', [this.#softplus(x)])]);
      case 'gelu': {
        // x·(1 + erf(x/√2))/2; onnxruntime has no Erf of doubles
        const argument = graph.node('Mul', [x, this.#number(Math.SQRT1_2)]);
        const erf =
          graph.real === 'float'
            ? graph.node('Erf', [argument])
            : graph.cast(graph.node('Erf', [graph.cast(argument, 'float')]), 'double');
        const half = graph.node('Mul', [x, this.#number(0.5)]);
        return graph.node('Mul', [half, graph.node('Add', [erf, this.#number(1)])]);
      }
    }
  }

  /** factor·x above 0, and a function of x below, which is 0 at 0. */
  #bothSides(x: string, factor: number, of: (below: string) => string): string {
    const graph = this.#graph;
    const above = graph.node('Relu', [x]);
    const scaled = factor === 1 ? above : graph.node('Mul', [above, this.#number(factor)]);
    return graph.node('Add', [scaled, of(graph.node('Min', [x, this.#number(0)]))]);
  }

  /** factor·(e^x − 1) */
  #exponential(x: string, factor: number): string {
    const graph = this.#graph;
    const less = graph.node('Sub', [graph.node('Exp', [x]), this.#number(1)]);
    return graph.node('Mul', [less, this.#number(factor)]);
  }

  /** max(x, 0) + log(1 + e^−|x|): onnxruntime has no Softplus of doubles. */
  #softplus(x: string): string {
    const graph = this.#graph;
    if (graph.real === 'float') return graph.node('Softplus', [x]);
    const small = graph.node('Exp', [graph.node('Neg', [graph.node('Abs', [x])])]);
    const log = graph.node('Log', [graph.node('Add', [small, this.#number(1)])]);
    return graph.node('Add', [graph.node('Relu', [x]), log]);
  }

  #embedding(step: EmbeddingStep, x: string, width: number): string {
    const graph = this.#graph;
    const { columns, others } = step;
    if (columns.length === 0) return x;
    const chosen = graph.columns(x, columns, width);
    const embedded = this.#vectors(step, chosen);
    const size = (widthAfter(step, width) - others.length) / columns.length;
    const flat = graph.reshape(embedded, [-1, columns.length * size]);
    return others.length === 0 ? flat : graph.concat([flat, graph.columns(x, others, width)]);
  }

  /** [rows, m, size] from x [rows, m] */
  #vectors(step: EmbeddingStep, x: string): string {
    const graph = this.#graph;
    const m = step.columns.length;
    switch (step.op) {
      case 'embedding':
        return this.#levelVectors(step, x);
      case 'pbld': {
        const k = step.frequency.columns;
        const phase = this.#elements(step.phase, (p) => p / (2 * Math.PI));
        const turns = graph.node('Add', [
          this.#turns(step.frequency, x),
          this.#fixed('phase', phase, [m, k]),
        ]);
        const waves = graph.node('Cos', [this.#angle(turns)]);
        const h = this.#linears(waves, step.weight, step.bias, m);
        return graph.concat([graph.reshape(x, [-1, m, 1]), h], 2);
      }
      case 'periodic': {
        const angle = this.#angle(this.#turns(step.frequency, x));
        const waves = graph.concat([graph.node('Cos', [angle]), graph.node('Sin', [angle])], 2);
        const h = this.#linears(waves, step.weight, step.bias, m);
        return step.relu ? graph.node('Relu', [h]) : h;
      }
      case 'piecewise-linear':
        return this.#binned(step, x);
    }
  }

  /** Row 0 of the table is for a number that is no level. */
  #levelVectors({ levels, weight }: Extract<EmbeddingStep, { op: 'embedding' }>, x: string): string {
    const graph = this.#graph;
    const vectors = elementsOf(this.#part, weight);
    const data = new Float64Array(vectors.length + weight.columns);
    data.set(vectors, weight.columns);
    const table = this.#fixed(weight.tensor, data, [weight.rows + 1, weight.columns]);
    const starts = levels.map((_, j) => levels.slice(0, j).reduce((sum, count) => sum + count, 0));
    const level = graph.cast(x, 'int64');
    const whole = (name: string, values: readonly number[]) => graph.numbers(name, 'int64', values);
    const isKnown = graph.node('And', [
      graph.node('GreaterOrEqual', [level, whole('first', [1])]),
      graph.node('LessOrEqual', [level, whole('last', levels)]),
    ]);
    const row = graph.node('Add', [level, whole('start', starts)]);
    const known = graph.node('Where', [isKnown, row, whole('none', [0])]);
    return graph.node('Gather', [table, known]);
  }

  /** f·x [rows, m, k] */
  #turns(frequency: Param, x: string): string {
    const f = this.#param(frequency);
    return this.#graph.node('Mul', [this.#graph.reshape(x, [-1, frequency.rows, 1]), f]);
  }

  /** 2π·t, of what is left of t without whole turns: a float has no digits for the others. */
  #angle(turns: string): string {
    const graph = this.#graph;
    const nearest = graph.node('Floor', [graph.node('Add', [turns, this.#number(0.5)])]);
    return graph.node('Mul', [graph.node('Sub', [turns, nearest]), this.#number(2 * Math.PI)]);
  }

  /** x·Wᵀ + b of each number by itself: [rows, m, size] from [rows, m, k], W [m·size, k], b [m, size] */
  #linears(x: string, weight: Param, bias: Param, m: number): string {
    const size = weight.rows / m;
    const k = weight.columns;
    const elements = elementsOf(this.#part, weight);
    // [m, k, size]
    const transposed = Float64Array.from({ length: elements.length }, (_, at) => {
      const j = Math.floor(at / (k * size));
      const l = Math.floor(at / size) % k;
      return elements[(j * size + (at % size)) * k + l];
    });
    return this.#eachNumber(x, this.#fixed(weight.tensor, transposed, [m, k, size]), bias);
  }

  /** [rows, m, size] from x [rows, m, k] and W [m, k, size], with b [m, size] */
  #eachNumber(x: string, weight: string, bias: Param): string {
    const graph = this.#graph;
    const turned = { perm: { ints: [1, 0, 2] } };
    const product = graph.node('MatMul', [graph.node('Transpose', [x], turned), weight]);
    return graph.node('Add', [graph.node('Transpose', [product], turned), this.#param(bias)]);
  }

  /** e(x) of each bin is (x − low)/width within 0 and 1; the first and the last bin have no end outside. */
  #binned(step: Extract<EmbeddingStep, { op: 'piecewise-linear' }>, x: string): string {
    const graph = this.#graph;
    const m = step.columns.length;
    const bins = step.edges.columns - 1;
    const edges = elementsOf(this.#part, step.edges);
    const low = new Float64Array(m * bins);
    const width = new Float64Array(m * bins).fill(1);
    const least = new Float64Array(m * bins);
    const most = new Float64Array(m * bins);
    for (let j = 0; j < m; j++) {
      const edge = (t: number) => edges[j * (bins + 1) + t];
      const wide = Array.from({ length: bins }, (_, t) => edge(t + 1) > edge(t));
      const last = wide.lastIndexOf(true);
      for (let t = 0; t <= last; t++) {
        const at = j * bins + t;
        low[at] = edge(t);
        width[at] = edge(t + 1) - edge(t);
        least[at] = t === 0 ? Number.NEGATIVE_INFINITY : 0;
        most[at] = t === last ? Number.POSITIVE_INFINITY : 1;
      }
    }
    const dims = [m, bins];
    const column = graph.reshape(x, [-1, m, 1]);
    const shifted = graph.node('Sub', [column, this.#fixed('low', low, dims)]);
    const parts = graph.node('Div', [shifted, this.#fixed('width', width, dims)]);
    const atMost = graph.node('Min', [parts, this.#fixed('most', most, dims)]);
    const e = graph.node('Max', [atMost, this.#fixed('least', least, dims)]);
    const weight = this.#fixed(step.weight.tensor, elementsOf(this.#part, step.weight), [
      m,
      bins,
      step.bias.columns,
    ]);
    const linear = graph.node('Mul', [column, this.#param(step.slope)]);
    return graph.node('Add', [linear, this.#eachNumber(e, weight, step.bias)]);
  }

  #elements(param: Param, of: (value: number) => number): Float64Array {
    return Float64Array.from(elementsOf(this.#part, param), of);
  }

  /** The same memory, unless a member of an ensemble has another type. */
  #inReal(values: FloatArray): FloatArray {
    if (this.#graph.real === 'float' || values instanceof Float64Array) return values;
    return Float64Array.from(values);
  }

  #number(value: number): string {
    return this.#graph.numbers('number', this.#graph.real, [value], []);
  }

  #fixed(name: string, values: ArrayLike<number>, dims: readonly number[]): string {
    return this.#graph.numbers(`${this.#prefix}${name}`, this.#graph.real, values, dims);
  }

  /** A parameter by its name in the model file; of a single row [1, n] as a vector. */
  #param(param: Param, isVector = false): string {
    const { tensor, start, rows, columns } = param;
    const size = rows * columns;
    const whole = this.#part.tensors.get(tensor)?.length ?? size;
    const suffix = whole === size ? '' : `.${start / size}`;
    return this.#graph.constant(`${this.#prefix}${tensor}${suffix}`, () => ({
      type: this.#graph.real,
      dims: isVector ? [columns] : [rows, columns],
      data: this.#inReal(elementsOf(this.#part, param)),
    }));
  }
}

/** As in src/kernels/activations.ts. */
const SELU = { scale: 1.0507009873554805, limit: 1.7580993408473768 };
