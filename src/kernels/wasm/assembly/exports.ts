/** What a module exports: the kernels for one dtype, the build's type `real`. */
export * from './product';
export * from './activations';
export * from './elementLosses';
export * from './elementwise';
export {
  embedLevels,
  embedLevelsInput,
  embedLevelsVectors,
  embedNumbers,
  embedNumbersInput,
  embedNumbersParameters,
  sumLevels,
  sumLevelsWeights,
} from './embedding';
export * from './periodic';
export * from './bins';
export * from './losses';
export * from './normalization';
export * from './optimizers';
export { evaluate } from './functions';

/** The end of the module's constants in the memory. */
export const constantsEnd: usize = __heap_base;
