/**
 * The arithmetic under the mathematics: one interface, implemented by `reference` (plain loops,
 * which every other backend is tested against), `wasm` (SIMD), `blas` (products by a system library,
 * the rest by wasm) and `native` (products by machine code, the rest by wasm). `network` and
 * `training` use these operations alone, so every backend and both dtypes run the same forward and
 * backward pass.
 *
 * Contract
 * - A tensor is a dense row-major matrix; a vector is a tensor with one row. The operations on a
 *   minibatch take `rows`, since the last batch of an epoch may be shorter than its buffer.
 * - Kernels don't validate. Their callers check shapes, labels and finiteness once, at the
 *   boundary.
 * - An output may be the same buffer as an input only if the operation says so.
 * - Kernels allocate nothing. NaN and infinity follow IEEE 754.
 * - Backends may differ by rounding. The number of threads never changes a result of `wasm` or
 *   `native`.
 *
 * Symbols: B rows of a batch; m, n, k sizes of a product as in BLAS; `d` before a name: its
 * gradient.
 */
import type { ActivationType } from './activations.js';
import type { ElementLossType } from './elementLosses.js';

export type DType = 'float32' | 'float64';
export type FloatArray = Float32Array | Float64Array;

/** A dense row-major matrix [rows, columns] whose elements are `data`. */
export interface Tensor {
  readonly data: FloatArray;
  readonly rows: number;
  readonly columns: number;
  /** Byte offset of the first element in the arena's memory, for a WASM kernel or a BLAS. */
  readonly address: number;
}

/** A vector of class labels or row numbers, in the arena like a tensor. */
export interface IntVector {
  readonly data: Int32Array;
  readonly address: number;
}

/** The form of a product: N or T, for A and then for B, says whether it is transposed. */
export type ProductForm = 'NN' | 'TN' | 'NT';

export interface ProductKernels {
  /**
   * c[m, n] ← op(a)·op(b) + beta·c, with op(a) [m, k] and op(b) [k, n]. NN: a [m, k], b [k, n]; TN:
   * a is stored [k, m]; NT: b is stored [n, k]. beta is 0 (c is not read) or 1.
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
}

/** A function of activations.ts with its parameter, which functions without one ignore. */
export interface Activation {
  readonly type: ActivationType;
  readonly parameter: number;
}

export interface ActivationKernels extends ParametricActivationKernels {
  /** y ← f(x + bias), bias [columns] or null. y may be x unless f needsInput; x ← x + bias then. */
  biasActivation(f: Activation, rows: number, x: Tensor, bias: Tensor | null, y: Tensor): void;

  /** dX ← dY ⊙ f′ from x (biased; read if f needsInput) and y; dBias ← column sums. dX may be dY */
  biasActivationBackward(
    f: Activation,
    rows: number,
    x: Tensor,
    y: Tensor,
    dY: Tensor,
    dX: Tensor,
    dBias: Tensor | null,
  ): void;
}

/** y = (1 − slope) ⊙ h + slope ⊙ f(h), with a learnt slope [1, columns]; h = x + bias. */
export interface ParametricActivationKernels {
  /** y ← as above, x ← h; bias [1, columns] or null. y is not x. */
  parametricActivation(
    f: Activation,
    rows: number,
    x: Tensor,
    bias: Tensor | null,
    slope: Tensor,
    y: Tensor,
  ): void;

  /**
   * From h: dX ← dY ⊙ (1 − slope + slope ⊙ f′), dBias ← column sums of dX, dSlope ← column sums of
   * dY ⊙ (f(h) − h). dX may be dY.
   */
  parametricActivationBackward(
    f: Activation,
    rows: number,
    h: Tensor,
    slope: Tensor,
    dY: Tensor,
    dX: Tensor,
    dBias: Tensor | null,
    dSlope: Tensor,
  ): void;
}

/**
 * The elements that dropout sets to 0, a function of `seed`, `layer` (both below 2³²) and `step`
 * (below 2⁵³). Element i, in row-major order, draws word i mod 4 of Philox4x32-10 with the counter
 * (⌊i/4⌋, 0, step mod 2³², ⌊step/2³²⌋), key (seed, layer), and drops if below ⌊rate·2³²⌋.
 */
export interface DropoutMask {
  /** The share that is dropped, in [0, 1). */
  readonly rate: number;
  readonly seed: number;
  readonly layer: number;
  readonly step: number;
}

export interface ElementwiseKernels {
  /** out ← a + b for `rows` rows; out may be a or b. */
  add(rows: number, a: Tensor, b: Tensor, out: Tensor): void;

  /** out[i] ← the sum of rows i·views … (i + 1)·views − 1 of x, for i < rows; out is another buffer. */
  sumViews(rows: number, views: number, x: Tensor, out: Tensor): void;

  /** x[i] ← factors[i]·x[i] for i < rows: one factor for a whole row, factors [rows, 1]. */
  scaleRows(rows: number, factors: Tensor, x: Tensor): void;

  /** out ← factors ⊙ x for `rows` rows: one factor for a column, factors [1, columns]; may be x. */
  scaleColumns(rows: number, factors: Tensor, x: Tensor, out: Tensor): void;

  /**
   * The gradients of `scaleColumns`: dFactors ← Σ dY ⊙ x over the rows, and unless dX is null
   * dX ← factors ⊙ dY. dX may be dY.
   */
  scaleColumnsBackward(
    rows: number,
    factors: Tensor,
    x: Tensor,
    dY: Tensor,
    dX: Tensor | null,
    dFactors: Tensor,
  ): void;

  /** out ← source for `rows` rows of equal width; out is another buffer. */
  copy(rows: number, source: Tensor, out: Tensor): void;

  /** out[i] ← source[indices[i]] for i < rows: the rows of a minibatch. */
  gather(rows: number, source: Tensor, indices: IntVector, out: Tensor): void;

  /** out[i] ← source[indices[i]] for i < rows: the labels of a minibatch. */
  gatherLabels(rows: number, source: IntVector, indices: IntVector, out: IntVector): void;

  /** Inverted dropout (Srivastava et al. 2014, section 10): out ← x/(1 − rate) or 0; may be x. */
  dropout(rows: number, mask: DropoutMask, x: Tensor, out: Tensor): void;

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
}

/** How numbers are embedded: m of the columns, k frequencies and o learnt values for each. */
export interface NumberEmbedding {
  /** [m] The columns that are numbers. */
  readonly numbers: IntVector;
  /** The other columns, which are passed on. */
  readonly others: IntVector;
  /** [m, k] f */
  readonly frequency: Tensor;
  /** [m, k] p */
  readonly phase: Tensor;
  /** [m·o, k] W */
  readonly weight: Tensor;
  /** [m, o] b */
  readonly bias: Tensor;
}

/** The waves of numbers: m of the columns, k frequencies for each. */
export interface WaveEmbedding {
  /** [m] The columns that are numbers. */
  readonly numbers: IntVector;
  /** The other columns, which are passed on. */
  readonly others: IntVector;
  /** [m, k] f */
  readonly frequency: Tensor;
}

/** How numbers are embedded by bins: m of the columns, n bins and o values for each. */
export interface BinEmbedding {
  /** [m] The columns that are numbers. */
  readonly numbers: IntVector;
  /** The other columns, which are passed on. */
  readonly others: IntVector;
  /** [m, n + 1] The edges of the bins, rising. A number of fewer bins repeats its last edge. */
  readonly edges: Tensor;
  /** [m, o] a */
  readonly slope: Tensor;
  /** [m, o] b */
  readonly bias: Tensor;
  /** [m·n, o] W */
  readonly weight: Tensor;
}

/** How numbers of levels are embedded, from 1 in each column. */
export interface LevelEmbedding {
  /** [m] The columns that are numbers of levels. */
  readonly columns: IntVector;
  /** [m + 1] The levels of column j have the rows from ends[j] on of the vectors, up to ends[j + 1]. */
  readonly ends: IntVector;
  /** The other columns, which are passed on. */
  readonly others: IntVector;
}

/** Numbers of levels, from 1 in each column, that stand for one-hot columns of a product. */
export interface LevelRows {
  /** [m] The columns that are numbers of levels. */
  readonly columns: IntVector;
  /** [m] The row of the weights of the first level of each. */
  readonly firsts: IntVector;
  /** [m] How many levels each has. */
  readonly counts: IntVector;
}

export interface EmbeddingKernels {
  /**
   * z ← Σ the row of `weight` [inputs, units] of each level + beta·z: the product of one-hot columns.
   * A number that is no level adds nothing. beta is 0 (z is not read) or 1.
   */
  sumLevels(rows: number, levels: LevelRows, x: Tensor, weight: Tensor, beta: 0 | 1, z: Tensor): void;

  /** The gradients of the rows of all levels, Σ dZ over the rows with each. Other rows of `dWeight` stay. */
  sumLevelsBackward(rows: number, levels: LevelRows, x: Tensor, dZ: Tensor, dWeight: Tensor): void;

  /** y ← the row of `vectors` [levels, size] of each level, zeros for none; then the other columns of x. */
  embedLevels(rows: number, embedding: LevelEmbedding, x: Tensor, vectors: Tensor, y: Tensor): void;

  /** The gradient of the vectors, and unless it is null dX, another buffer: 0 for numbers of levels. */
  embedLevelsBackward(
    rows: number,
    embedding: LevelEmbedding,
    x: Tensor,
    dY: Tensor,
    dVectors: Tensor,
    dX: Tensor | null,
  ): void;

  /** y ← [x, W·cos(2π·f·x + p) + b] of each number x of a row, then its other columns. */
  embedNumbers(rows: number, embedding: NumberEmbedding, x: Tensor, y: Tensor): void;

  /** The gradients of f, p, W and b, and unless it is null dX, which is another buffer. */
  embedNumbersBackward(
    rows: number,
    embedding: NumberEmbedding,
    x: Tensor,
    dY: Tensor,
    gradients: Pick<NumberEmbedding, 'frequency' | 'phase' | 'weight' | 'bias'>,
    dX: Tensor | null,
  ): void;

  /**
   * waves ← cos(2π·f·x), then sin(2π·f·x) of each number x.
   * @param waves [m·R, 2k] R rows of each number in turn, of which the first `rows` are written
   */
  embedWaves(rows: number, embedding: WaveEmbedding, x: Tensor, waves: Tensor): void;

  /**
   * The gradient of f, and unless it is null dX, another buffer, from those of the waves [m·R, 2k],
   * and for the other columns from dY, where they are the last.
   */
  embedWavesBackward(
    rows: number,
    embedding: WaveEmbedding,
    x: Tensor,
    waves: Tensor,
    dWaves: Tensor,
    dY: Tensor,
    dFrequency: Tensor,
    dX: Tensor | null,
  ): void;

  /** y ← the values [m·R, o] of each number side by side, then the other columns of x. */
  joinNumbers(rows: number, embedding: WaveEmbedding, values: Tensor, x: Tensor, y: Tensor): void;

  /** values [m·R, o] ← those of y. */
  splitNumbers(rows: number, embedding: WaveEmbedding, y: Tensor, values: Tensor): void;

  /** sums [m·n, o] ← W summed over the bins of a number before each one. */
  sumBins(embedding: BinEmbedding, sums: Tensor): void;

  /**
   * y ← a·x + b + W·e(x) of each number x of a row, then its other columns. With bin t of x, e is 1
   * for the bins before t and (x − edges[t])/(edges[t + 1] − edges[t]) for bin t, also below the
   * first edge and above the last; no bins, no e.
   * @param sums of `sumBins`
   * @param places [rows, m] ← t + 1 for an even t, −(t + 1) for an odd one
   */
  embedBins(rows: number, embedding: BinEmbedding, x: Tensor, sums: Tensor, places: Tensor, y: Tensor): void;

  /** The gradients of a, b and W, and unless it is null dX, which is another buffer. Overwrites sums. */
  embedBinsBackward(
    rows: number,
    embedding: BinEmbedding,
    x: Tensor,
    places: Tensor,
    dY: Tensor,
    sums: Tensor,
    gradients: Pick<BinEmbedding, 'slope' | 'bias' | 'weight'>,
    dX: Tensor | null,
  ): void;
}

/** The running mean and variance [1, columns], and the weight of the next batch in them. */
export interface RunningMoments {
  readonly momentum: number;
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/**
 * y ← scale·x̂ + shift, x̂ = (x − mean)/√(variance + epsilon); scale, shift [1, columns].
 * `moments`: for each column or row the mean, the rounding error of the mean (so that float32 can
 * tell rows around 10⁶ apart) and 1/√(variance + epsilon). y is not x.
 */
export interface NormalizationKernels {
  /**
   * Batch normalisation (Ioffe and Szegedy 2015, Algorithm 1), moments [3, columns], biased
   * variance. running ← (1 − momentum)·running + momentum·batch, with the unbiased variance; null
   * leaves it as it is (required for a batch of one row).
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

  /** Batch normalisation in evaluation: by the running moments, so rows are independent. */
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

  /** Layer normalisation (Ba, Kiros and Hinton 2016), by the moments [B, 3] of each row. */
  layerNorm(
    rows: number,
    epsilon: number,
    x: Tensor,
    scale: Tensor,
    shift: Tensor,
    moments: Tensor,
    y: Tensor,
  ): void;

  /** The gradients of its parameters: dShift ← Σ dY, dScale ← Σ dY·x̂ over the rows. */
  layerNormParameters(
    rows: number,
    x: Tensor,
    moments: Tensor,
    dY: Tensor,
    dScale: Tensor,
    dShift: Tensor,
  ): void;

  /**
   * The gradient of its input: dX ← (g − mean(g) − x̂·mean(g·x̂))/√(variance + epsilon), with
   * g = dY·scale and the means over a row. dX may be dY.
   */
  layerNormBackward(rows: number, x: Tensor, moments: Tensor, scale: Tensor, dY: Tensor, dX: Tensor): void;
}

/** What the members of an ensemble are averaged as. */
export type MeanOf = 'softmax' | 'sigmoid' | 'identity';

export interface LossKernels {
  /**
   * rowLoss[i] ← −log softmax(logits[i])[labels[i]], by the log-sum-exp shifted by the maximum;
   * dLogits ← scale·(softmax(logits) − onehot(labels)) unless null. dLogits may be logits.
   * @param smoothing ε, 0 if left out: the target is (1 − ε)·onehot + ε/columns
   */
  softmaxCrossEntropy(
    rows: number,
    logits: Tensor,
    labels: IntVector,
    scale: number,
    rowLoss: Tensor,
    dLogits: Tensor | null,
    smoothing?: number,
  ): void;

  /**
   * rowLoss[i] ← Σ_j max(h, 0) − h·t + log(1 + e^−|h|), t in {0, 1}: −log-likelihood, stable;
   * dLogits ← scale·(sigmoid(h) − t) unless null. dLogits may be logits.
   * @param smoothing ε, 0 if left out: t is (1 − ε)·target + ε/2
   */
  sigmoidCrossEntropy(
    rows: number,
    logits: Tensor,
    targets: Tensor,
    scale: number,
    rowLoss: Tensor,
    dLogits: Tensor | null,
    smoothing?: number,
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

  /**
   * rowLoss[i] ← Σ_j ℓ(o, t); dOutput ← scale·dℓ/do unless null. dOutput may be output.
   * @param targets [rows, columns], or [rows, 1] for the same target of all outputs of a row
   * @param parameters [1, columns] of ℓ; null for one without any
   */
  elementLoss(
    type: ElementLossType,
    rows: number,
    output: Tensor,
    targets: Tensor,
    parameters: Tensor | null,
    scale: number,
    rowLoss: Tensor,
    dOutput: Tensor | null,
  ): void;

  /** Puts the elements of each row in rising order. */
  sortRows(rows: number, x: Tensor): void;

  /** out ← softmax of each row; out may be logits. */
  softmax(rows: number, logits: Tensor, out: Tensor): void;

  /**
   * The outputs of an ensemble: out ← g(mean over the members of g⁻¹(h)), with the probabilities
   * g⁻¹(h): the softmax of a row, the sigmoid of each element, or h itself.
   * @param outputs [members·R, columns] the R rows of each member in turn
   * @param out [R, columns] For a softmax, g is the logarithm: the softmax of out is the mean.
   */
  averageMembers(mean: MeanOf, rows: number, members: number, outputs: Tensor, out: Tensor): void;

  /** Limits the column of x to [low, high], which may be infinite: x ← min(high, max(low, x)). */
  clipColumn(rows: number, column: number, low: number, high: number, x: Tensor): void;
}

/** The part of an optimiser (optimizers.ts) that a backend needs. */
export interface OptimizerRule {
  /** The function of a WASM module that does the step (wasm/assembly/optimizers.ts). */
  readonly name: string;
  /** The step over the first `count` elements, in place, as the plain loop of the reference. */
  step(
    count: number,
    scalars: readonly number[],
    parameters: FloatArray,
    gradients: FloatArray,
    state: readonly (FloatArray | null)[],
  ): void;
}

export interface OptimizerKernels {
  /**
   * One step of an optimiser over the first `count` parameters.
   * @param scalars the numbers of the rule for this step, at most 8
   * @param state tensors [1, parameters] of the rule, at most 3; null for one not needed
   * @returns whether all `count` parameters are finite afterwards: the same in every thread
   */
  optimizerStep(
    rule: OptimizerRule,
    count: number,
    scalars: readonly number[],
    parameters: Tensor,
    gradients: Tensor,
    state: readonly (Tensor | null)[],
  ): boolean;
}

export interface Kernels
  extends ProductKernels,
    ActivationKernels,
    ElementwiseKernels,
    EmbeddingKernels,
    NormalizationKernels,
    LossKernels,
    OptimizerKernels {
  readonly backend: string;
  readonly dtype: DType;
  /**
   * Of mixed precision alone: whether products round their inputs to bfloat16 from here on. At first they
   * do not.
   */
  roundInputs?(rounds: boolean): void;
}
