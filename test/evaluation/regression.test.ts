import { describe, expect, it } from 'vitest';
import { evaluateRegression } from '../../src/evaluation/regression.js';

describe('evaluateRegression', () => {
  it('has errors in the targets’ own units, and the loss in those of the network', () => {
    const rows = { targets: [0, 0, 1, 1], outputs: [1, 2, 1, 1] };
    const { loss, rmse, mae, targets } = evaluateRegression({ ...rows, units: [10, 100] });
    expect(loss).toBe((1 + 4) / 4);
    expect(targets.map((target) => target.rmse)).toBeAllclose([10 * Math.SQRT1_2, 200 * Math.SQRT1_2], {
      relative: 1e-15,
    });
    expect(targets.map((target) => target.mae)).toEqual([5, 100]);
    expect([rmse]).toBeAllclose([105 * Math.SQRT1_2], { relative: 1e-15 });
    expect(mae).toBe(52.5);
  });

  it('counts weights in the loss alone', () => {
    const rows = { targets: [0, 1, 2], outputs: [1, 1, 4], units: [1] };
    const weighted = evaluateRegression({ ...rows, weights: [3, 1, 0.5] });
    expect(weighted.loss).toBe((3 + 2) / 4.5);
    expect({ ...weighted, loss: 0 }).toEqual({ ...evaluateRegression(rows), loss: 0 });
  });

  it('knows equal targets whose mean is rounded to another number', () => {
    // 0.1 + 0.1 + 0.1 is 0.30000000000000004
    expect(evaluateRegression({ targets: [0.1, 0.1, 0.1], outputs: [0.1, 0.1, 0.1], units: [1] }).r2).toBe(1);
    expect(evaluateRegression({ targets: [0.1, 0.1, 0.1], outputs: [0.1, 0.1, 0.2], units: [1] }).r2).toBe(0);
  });

  it('has no R² for a single row', () => {
    expect(evaluateRegression({ targets: [1, 2], outputs: [1, 2], units: [1, 1] })).toMatchObject({
      r2: null,
      rmse: 0,
      targets: [{ r2: null }, { r2: null }],
    });
  });
});
