import { describe, expect, it } from 'vitest';
import { Arena } from '../../src/kernels/arena.js';
import { kernelsRecipe } from '../../src/kernels/create.js';
import { Parameters } from '../../src/network/parameters.js';
import { clipGradients } from '../../src/training/optimizer.js';
import { BACKENDS } from '../support/backends.js';

const DTYPES = ['float32', 'float64'] as const;

describe.each(BACKENDS)('clipping by $name', ({ choice, skip }) => {
  describe.skipIf(skip).each(DTYPES)('in %s', (dtype) => {
    const recipe = kernelsRecipe(choice, dtype);

    function clip(values: readonly number[], maxNorm: number) {
      const arena = Arena.ofSize(dtype, recipe.scratchBytes + 8192);
      const kernels = recipe.create(arena.memory, arena.block(recipe.scratchBytes));
      const parameters = new Parameters({ shapes: [], weights: 2, total: values.length }, arena);
      parameters.gradients.data.set(values);
      const norm = clipGradients(kernels, parameters, maxNorm);
      return { norm, gradients: [...parameters.gradients.data] };
    }

    it('shortens a longer gradient, biases included, and returns the norm before', () => {
      const { norm, gradients } = clip([2, 0, -1, 2], 1.5);
      expect(norm).toBe(3);
      const relative = dtype === 'float32' ? 1e-7 : 1e-15;
      const factor = 1.5 / (3 + 1e-6);
      expect(gradients).toBeAllclose([2 * factor, 0, -factor, 2 * factor], { relative });
    });

    it.each([[[2, 0, -1, 2]], [[0, 0, 0]], [[1e-30, 1]]])(
      'leaves a shorter one bit for bit: %j',
      (values) => {
        const { gradients } = clip(values, 3.1);
        expect(gradients).toEqual([...(dtype === 'float32' ? Float32Array : Float64Array).from(values)]);
      },
    );

    it.each([NaN, Infinity, -Infinity])('leaves the finite gradients beside a %d as they are', (bad) => {
      const { norm, gradients } = clip([1, bad, -4, 0], 0.5);
      expect(norm).toBe(Math.abs(bad));
      expect(gradients).toEqual([1, bad, -4, 0]);
    });
  });
});
