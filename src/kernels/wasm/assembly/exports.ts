/**
 * What a module exports: the kernels for one dtype, which the build calls `real` (--use real=f32 or real=f64). The functions are described where they
 * are imported from.
 */
import * as products from './product';
import * as activations from './activations';
import * as elementwise from './elementwise';
import * as dropouts from './dropout';
import * as losses from './losses';
import * as norms from './normalization';
import * as optimizers from './optimizers';
import { evaluateFunction } from './functions';

export { gatherLabels } from './elementwise';

/** The end of the module's constants in the memory. */
export const constantsEnd: usize = __heap_base;

export function productScratchBytes(): usize {
  return products.productScratchBytes();
}

/** y ← an elementary function of x, for the tests of their accuracy: see `evaluateFunction`. */
export function evaluate(kind: i32, count: i32, x: usize, y: usize): void {
  evaluateFunction(kind, count, x, y);
}

export function product(
  form: i32, m: i32, n: i32, k: i32, a: usize, aStep: usize, b: usize, bStep: usize,
  accumulate: bool, c: usize, cStep: usize, scratch: usize,
): void {
  products.product(form, m, n, k, a, aStep, b, bStep, accumulate, c, cStep, scratch);
}

export function dotRows(
  rows: i32, k: i32, a: usize, aStep: usize, x: usize, accumulate: bool, y: usize,
): void {
  products.dotRows(rows, k, a, aStep, x, accumulate, y);
}

export function combineRows(
  columns: i32, k: i32, x: usize, b: usize, bStep: usize, accumulate: bool, y: usize,
): void {
  products.combineRows(columns, k, x, b, bStep, accumulate, y);
}

export function biasActivation(
  kind: i32, parameter: f64, rows: i32, columns: i32, x: usize, bias: usize, y: usize,
): void {
  activations.biasActivation(kind, parameter, rows, columns, x, bias, y);
}

export function biasActivationBackward(
  kind: i32, parameter: f64, rows: i32, columns: i32, rowBytes: usize, x: usize, y: usize,
  dY: usize, dX: usize, dBias: usize,
): void {
  activations.biasActivationBackward(kind, parameter, rows, columns, rowBytes, x, y, dY, dX, dBias);
}

export function add(count: i32, a: usize, b: usize, out: usize): void {
  elementwise.add(count, a, b, out);
}

export function addScaled(count: i32, scale: f64, x: usize, y: usize): void {
  elementwise.addScaled(count, scale, x, y);
}

export function addSigns(count: i32, scale: f64, x: usize, y: usize): void {
  elementwise.addSigns(count, scale, x, y);
}

export function scale(count: i32, factor: f64, x: usize): void {
  elementwise.multiply(count, factor, x);
}

export function scaleRows(rows: i32, columns: i32, factors: usize, x: usize): void {
  elementwise.scaleRows(rows, columns, factors, x);
}

export function copy(count: i32, source: usize, out: usize): void {
  elementwise.copy(count, source, out);
}

export function gather(rows: i32, columns: i32, source: usize, indices: usize, out: usize): void {
  elementwise.gather(rows, columns, source, indices, out);
}

export function dropout(
  count: i32, rate: f64, seed: i32, layer: i32, step: f64, block: i32, x: usize, out: usize,
): void {
  dropouts.dropout(count, rate, seed, layer, step, block, x, out);
}

export function batchNorm(
  rows: i32, columns: i32, rowBytes: usize, epsilon: f64, x: usize, scale: usize, shift: usize,
  moments: usize, momentBytes: usize, momentum: f64, runningMean: usize, runningVariance: usize,
  y: usize, sums: usize,
): void {
  norms.batchNorm(
    rows, columns, rowBytes, epsilon, x, scale, shift, moments, momentBytes, momentum, runningMean,
    runningVariance, y, sums,
  );
}

export function batchNormEvaluation(
  rows: i32, columns: i32, rowBytes: usize, epsilon: f64, x: usize, scale: usize, shift: usize,
  runningMean: usize, runningVariance: usize, y: usize, moments: usize,
): void {
  norms.batchNormEvaluation(
    rows, columns, rowBytes, epsilon, x, scale, shift, runningMean, runningVariance, y, moments,
  );
}

export function batchNormBackward(
  rows: i32, columns: i32, rowBytes: usize, x: usize, moments: usize, momentBytes: usize,
  scale: usize, dY: usize, dX: usize, dScale: usize, dShift: usize,
): void {
  norms.batchNormBackward(
    rows, columns, rowBytes, x, moments, momentBytes, scale, dY, dX, dScale, dShift,
  );
}

export function layerNorm(
  rows: i32, columns: i32, epsilon: f64, x: usize, scale: usize, shift: usize, moments: usize,
  y: usize,
): void {
  norms.layerNorm(rows, columns, epsilon, x, scale, shift, moments, y);
}

export function layerNormParameters(
  rows: i32, columns: i32, rowBytes: usize, x: usize, moments: usize, dY: usize, dScale: usize,
  dShift: usize,
): void {
  norms.layerNormParameters(rows, columns, rowBytes, x, moments, dY, dScale, dShift);
}

export function layerNormBackward(
  rows: i32, columns: i32, x: usize, moments: usize, scale: usize, dY: usize, dX: usize,
): void {
  norms.layerNormBackward(rows, columns, x, moments, scale, dY, dX);
}

export function sum(count: i32, x: usize): f64 {
  return elementwise.sum(count, x);
}

export function sumOfMagnitudes(count: i32, x: usize): f64 {
  return elementwise.sumOfMagnitudes(count, x);
}

export function sumOfSquares(count: i32, x: usize): f64 {
  return elementwise.sumOfSquares(count, x);
}

export function softmax(rows: i32, columns: i32, logits: usize, out: usize): void {
  losses.softmax(rows, columns, logits, out);
}

export function softmaxCrossEntropy(
  rows: i32, columns: i32, logits: usize, labels: usize, scale: f64, rowLoss: usize,
  gradient: usize,
): void {
  losses.softmaxCrossEntropy(rows, columns, logits, labels, scale, rowLoss, gradient);
}

export function sigmoidCrossEntropy(
  rows: i32, columns: i32, logits: usize, targets: usize, scale: f64, rowLoss: usize,
  gradient: usize,
): void {
  losses.sigmoidCrossEntropy(rows, columns, logits, targets, scale, rowLoss, gradient);
}

export function squaredError(
  rows: i32, columns: i32, output: usize, targets: usize, scale: f64, rowLoss: usize,
  gradient: usize,
): void {
  losses.squaredError(rows, columns, output, targets, scale, rowLoss, gradient);
}

export function areFinite(count: i32, x: usize): bool {
  return optimizers.areFinite(count, x);
}

export function sgd(count: i32, learningRate: f64, p: usize, g: usize): bool {
  return optimizers.sgd(count, learningRate, p, g);
}

export function sgdMomentum(
  count: i32, learningRate: f64, momentum: f64, nesterov: bool, p: usize, g: usize, v: usize,
): bool {
  return optimizers.sgdMomentum(count, learningRate, momentum, nesterov, p, g, v);
}

export function adam(
  count: i32, learningRate: f64, beta1: f64, beta2: f64, epsilon: f64, correction1: f64,
  correction2: f64, p: usize, g: usize, m: usize, v: usize,
): bool {
  return optimizers.adam(count, learningRate, beta1, beta2, epsilon, correction1, correction2, p, g, m, v);
}

export function rmsprop(
  count: i32, learningRate: f64, alpha: f64, epsilon: f64, momentum: f64, p: usize, g: usize,
  squares: usize, mean: usize, velocity: usize,
): bool {
  return optimizers.rmsprop(count, learningRate, alpha, epsilon, momentum, p, g, squares, mean, velocity);
}

export function adagrad(
  count: i32, learningRate: f64, initialAccumulator: f64, epsilon: f64, p: usize, g: usize,
  squares: usize,
): bool {
  return optimizers.adagrad(count, learningRate, initialAccumulator, epsilon, p, g, squares);
}
