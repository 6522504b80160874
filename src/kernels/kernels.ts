/**
 * The arithmetic under the mathematics: one interface, implemented by `reference` (plain loops, the oracle
 * for the rest) and by faster backends. `network` and `training` are written in these operations alone, so
 * every backend and both dtypes run the same forward and backward pass.
 *
 * Contract
 * - A tensor is a dense row-major matrix; a vector is a tensor with one row. `rows` is passed to the operations
 *   that work on a minibatch, since the last batch of an epoch may be shorter than the buffer it lies in.
 * - Kernels don't validate. Shapes, labels and finiteness are checked once, at the boundary of the caller.
 * - An output may be the same buffer as an input only where the operation says so.
 * - Nothing is allocated. NaN and infinity go through as IEEE 754 has them.
 * - A result may differ between backends by rounding (never between thread counts of one backend).
 *
 * Symbols: B rows of a batch, m, n, k sizes of a product as in BLAS, `d` before a name its gradient.
 */

export type DType = 'float32' | 'float64';
export type FloatArray = Float32Array | Float64Array;

/** A dense row-major matrix [rows, columns] whose elements are `data`. */
export interface Tensor {
  readonly data: FloatArray;
  readonly rows: number;
  readonly columns: number;
  /** Byte offset of the first element in the arena's memory: what a WASM kernel or a BLAS is given. */
  readonly address: number;
}

/** A vector of class labels or row numbers, in the arena like a tensor. */
export interface IntVector {
  readonly data: Int32Array;
  readonly address: number;
}

/** The product's form: the first letter says whether A is transposed, the second whether B is. */
export type ProductForm = 'NN' | 'TN' | 'NT';

/** An elementwise function. `parameter` is the slope of leaky-relu and the alpha of elu; the rest ignore it. */
export interface Activation {
  readonly type: ActivationType;
  readonly parameter: number;
}

export type ActivationType =
  | 'identity'
  | 'relu'
  | 'leaky-relu'
  | 'tanh'
  | 'sigmoid'
  | 'gelu'
  | 'silu'
  | 'elu'
  | 'softplus';

/**
 * Whose derivative needs x itself; for the rest y = f(x) is enough, so that y may overwrite x.
 * (leaky-relu and elu keep the sign of x as long as their parameter is positive, and the spec demands that.)
 */
export const NEEDS_INPUT: ReadonlySet<ActivationType> = new Set(['gelu', 'silu', 'softplus']);

/** Options of the sgd step, v ← momentum·v + g; p ← p − lr·v (nesterov: p ← p − lr·(g + momentum·v)). */
export interface SgdOptions {
  readonly learningRate: number;
  readonly momentum: number;
  readonly nesterov: boolean;
}

/** Options of the adam step (Kingma and Ba 2015, Algorithm 1); `step` counts from 1. */
export interface AdamOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly step: number;
}

/**
 * Options of the rmsprop step (Hinton 2012, lecture 6e; Graves 2013 where centered): squares ← alpha·squares + (1 − alpha)·g²;
 * d ← g/(√squares + epsilon); v ← momentum·v + d; p ← p − lr·v, or p − lr·d without momentum. Centered, the squares are those of
 * the deviations from the mean of the gradients.
 */
export interface RmspropOptions {
  readonly learningRate: number;
  readonly alpha: number;
  readonly epsilon: number;
  readonly momentum: number;
}

/** Options of the adagrad step (Duchi et al. 2011): squares ← squares + g²; p ← p − lr·g/(√(initial + squares) + epsilon). */
export interface AdagradOptions {
  readonly learningRate: number;
  /** `initial`: what the sum of squares starts from; not part of the tensor, so that every state starts at 0. */
  readonly initialAccumulator: number;
  readonly epsilon: number;
}

/**
 * Which elements dropout sets to 0. `seed`, `layer` (whole numbers below 2³²) and `step` (below 2⁵³) name a mask; there is
 * nothing else to it, so it takes no memory, and is the same whoever draws which part of it, and when.
 *
 * The draw of element i, counted in row-major order, is word i mod 4 of Philox4x32-10 (philox.ts) with the counter
 * (⌊i/4⌋, 0, step mod 2³², ⌊step/2³²⌋) and the key (seed, layer). It drops the element if it is below ⌊rate·2³²⌋.
 */
export interface DropoutMask {
  /** The share that is dropped, in [0, 1). */
  readonly rate: number;
  readonly seed: number;
  readonly layer: number;
  readonly step: number;
}

/** The mean and variance [1, columns] that batch normalisation has seen, and what the next batch counts in them. */
export interface RunningMoments {
  readonly momentum: number;
  readonly mean: Tensor;
  readonly variance: Tensor;
}

export interface Kernels {
  /** The backend's name. */
  readonly backend: string;
  readonly dtype: DType;

  /**
   * c[m, n] ← op(a)·op(b) + beta·c, with op(a) [m, k] and op(b) [k, n]. beta is 0 (c is not read) or 1.
   * NN: a [m, k], b [k, n]; TN: a is stored [k, m]; NT: b is stored [n, k].
   */
  gemm(
    form: ProductForm,
    m: number,
    n: number,
    k: number,
    a: Tensor,
    b: Tensor,
    beta: 0 | 1,
    c: Tensor,
  ): void;

  /**
   * y ← f(x + bias) for `rows` rows, bias [columns] or null.
   * y may be x, except where NEEDS_INPUT has f: there x ← x + bias is kept for the backward pass.
   */
  biasActivation(f: Activation, rows: number, x: Tensor, bias: Tensor | null, y: Tensor): void;

  /**
   * dX ← dY ⊙ f′ for `rows` rows, from x (with its bias added; read only where NEEDS_INPUT has f) and y;
   * dBias [columns] ← column sums of dX unless null. dX may be dY.
   */
  biasActivationBackward(
    f: Activation,
    rows: number,
    x: Tensor,
    y: Tensor,
    dY: Tensor,
    dX: Tensor,
    dBias: Tensor | null,
  ): void;

  /** out ← a + b for `rows` rows; out may be a or b. */
  add(rows: number, a: Tensor, b: Tensor, out: Tensor): void;

  /** x[i] ← factors[i]·x[i] for i < rows: a whole row by one factor [rows, 1]. */
  scaleRows(rows: number, factors: Tensor, x: Tensor): void;

  /** out ← source for `rows` rows of equal width; out is another buffer. */
  copy(rows: number, source: Tensor, out: Tensor): void;

  /**
   * Inverted dropout (Srivastava et al. 2014, section 10) of `rows` rows: out ← x/(1 − rate) where the mask keeps an
   * element, 0 where it drops it, whatever x is there. out may be x.
   */
  dropout(rows: number, mask: DropoutMask, x: Tensor, out: Tensor): void;

  // Normalisations: y ← scale·x̂ + shift with x̂ = (x − mean)/√(variance + epsilon), scale and shift [1, columns]. What x̂ is made
  // of is kept as `moments`, by whose columns or rows: the mean, what rounding to the dtype took off the mean, so that float32
  // tells the rows of a column around 10⁶ apart, and 1/√(variance + epsilon). y is another buffer than x.

  /**
   * Batch normalisation (Ioffe and Szegedy 2015, Algorithm 1): mean and (biased) variance are those of each column over the
   * `rows` rows; moments [3, columns]. running ← (1 − momentum)·running + momentum·batch, of the variance the unbiased estimate;
   * null where it is to stay, as it must after a single row, of which there is none.
   */
  batchNorm(
    rows: number,
    epsilon: number,
    x: Tensor,
    scale: Tensor,
    shift: Tensor,
    moments: Tensor,
    running: RunningMoments | null,
    y: Tensor,
  ): void;

  /** Batch normalisation in evaluation: by the running mean and variance, so that a row does not depend on others. */
  batchNormEvaluation(
    rows: number,
    epsilon: number,
    x: Tensor,
    scale: Tensor,
    shift: Tensor,
    running: RunningMoments,
    y: Tensor,
  ): void;

  /**
   * The gradients of `batchNorm`: dShift ← Σ dY, dScale ← Σ dY·x̂ over the rows, and unless dX is null
   * dX ← scale/√(variance + epsilon)·(dY − dShift/rows − x̂·dScale/rows). dX may be dY.
   */
  batchNormBackward(
    rows: number,
    x: Tensor,
    moments: Tensor,
    scale: Tensor,
    dY: Tensor,
    dX: Tensor | null,
    dScale: Tensor,
    dShift: Tensor,
  ): void;

  /** Layer normalisation (Ba, Kiros and Hinton 2016): mean and variance are those of each row; moments [B, 3]. */
  layerNorm(
    rows: number,
    epsilon: number,
    x: Tensor,
    scale: Tensor,
    shift: Tensor,
    moments: Tensor,
    y: Tensor,
  ): void;

  /** The gradients of the parameters of `layerNorm`: dShift ← Σ dY, dScale ← Σ dY·x̂ over the rows. */
  layerNormParameters(
    rows: number,
    x: Tensor,
    moments: Tensor,
    dY: Tensor,
    dScale: Tensor,
    dShift: Tensor,
  ): void;

  /**
   * The gradient of the input of `layerNorm`: dX ← (g − mean(g) − x̂·mean(g·x̂))/√(variance + epsilon) with g = dY·scale and the
   * means over a row. dX may be dY.
   */
  layerNormBackward(rows: number, x: Tensor, moments: Tensor, scale: Tensor, dY: Tensor, dX: Tensor): void;

  /** out[i] ← source[indices[i]] for i < rows: the rows of a minibatch. */
  gather(rows: number, source: Tensor, indices: IntVector, out: Tensor): void;

  /** out[i] ← source[indices[i]] for i < rows: the labels of a minibatch. */
  gatherLabels(rows: number, source: IntVector, indices: IntVector, out: IntVector): void;

  /**
   * rowLoss[i] ← −log softmax(logits[i])[labels[i]], by the log-sum-exp shifted by the row's maximum;
   * dLogits ← scale·(softmax(logits) − onehot(labels)) unless null. dLogits may be logits.
   */
  softmaxCrossEntropy(
    rows: number,
    logits: Tensor,
    labels: IntVector,
    scale: number,
    rowLoss: Tensor,
    dLogits: Tensor | null,
  ): void;

  /**
   * rowLoss[i] ← Σ_j max(h, 0) − h·t + log(1 + e^−|h|), t in {0, 1}, the stable form of −log-likelihood;
   * dLogits ← scale·(sigmoid(h) − t) unless null. dLogits may be logits.
   */
  sigmoidCrossEntropy(
    rows: number,
    logits: Tensor,
    targets: Tensor,
    scale: number,
    rowLoss: Tensor,
    dLogits: Tensor | null,
  ): void;

  /** rowLoss[i] ← Σ_j (o − t)²; dOutput ← scale·2·(o − t) unless null. dOutput may be output. */
  squaredError(
    rows: number,
    output: Tensor,
    targets: Tensor,
    scale: number,
    rowLoss: Tensor,
    dOutput: Tensor | null,
  ): void;

  /** out ← softmax of each row; out may be logits. */
  softmax(rows: number, logits: Tensor, out: Tensor): void;

  /** The sum of the first `count` elements, accumulated in double precision. */
  sum(count: number, x: Tensor): number;

  /** The sum of the squares of the first `count` elements, accumulated in double precision. */
  sumOfSquares(count: number, x: Tensor): number;

  /** The sum of the magnitudes of the first `count` elements, accumulated in double precision. */
  sumOfMagnitudes(count: number, x: Tensor): number;

  /** y ← y + scale·x over the first `count` elements; x may be y. */
  addScaled(count: number, scale: number, x: Tensor, y: Tensor): void;

  /** y ← y + scale·sign(x) over the first `count` elements, sign(0) = 0. */
  addSigns(count: number, scale: number, x: Tensor, y: Tensor): void;

  /** x ← factor·x over the first `count` elements. */
  scale(count: number, factor: number, x: Tensor): void;

  // The optimisers' steps return whether each of the `count` parameters is finite afterwards: in a team the whole
  // block's answer, the same in every thread.

  /** One step of gradient descent over the first `count` elements; `velocity` is null without momentum. */
  sgd(
    count: number,
    options: SgdOptions,
    parameters: Tensor,
    gradients: Tensor,
    velocity: Tensor | null,
  ): boolean;

  /** One step of Adam over the first `count` elements, with its first and second moments m and v. */
  adam(
    count: number,
    options: AdamOptions,
    parameters: Tensor,
    gradients: Tensor,
    m: Tensor,
    v: Tensor,
  ): boolean;

  /**
   * One step of RMSprop over the first `count` elements. `mean` is the mean of the gradients, null where the squares are not
   * centered; `velocity` is null without momentum.
   */
  rmsprop(
    count: number,
    options: RmspropOptions,
    parameters: Tensor,
    gradients: Tensor,
    squares: Tensor,
    mean: Tensor | null,
    velocity: Tensor | null,
  ): boolean;

  /** One step of Adagrad over the first `count` elements, with the sum of all squares so far. */
  adagrad(
    count: number,
    options: AdagradOptions,
    parameters: Tensor,
    gradients: Tensor,
    squares: Tensor,
  ): boolean;
}

/** The steps of the optimisers. */
export type OptimizerKernels = Pick<Kernels, 'sgd' | 'adam' | 'rmsprop' | 'adagrad'>;

/** The normalisations, forward and backward. */
export type NormalizationKernels = Pick<
  Kernels,
  | 'batchNorm'
  | 'batchNormEvaluation'
  | 'batchNormBackward'
  | 'layerNorm'
  | 'layerNormParameters'
  | 'layerNormBackward'
>;
