/** The preset "tabular" as a whole against PyTorch: test/fixtures/pytorch/recipe.py. */
import { describe, expect, it } from 'vitest';
import { LocalEngine } from '../../src/training/engine/engine.js';
import { runTraining } from '../../src/training/loop.js';
import { BACKENDS } from '../support/backends.js';
import { allOf } from '../support/datasets.js';
import { fixture } from '../support/fixtures.js';
import { prepare } from '../support/runs.js';

interface Run {
  name: string;
  csv: string;
  config: Record<string, unknown>;
  /** Row-major, as the network gets the training rows. */
  x: number[][];
  parameters: Record<string, number[]>;
  losses: number[];
}

const RUNS = fixture<Run[]>('pytorch/recipe.json');

describe.each(BACKENDS)('the preset tabular, $name', ({ choice, skip }) => {
  it.skipIf(skip).each(RUNS)('starts and takes fifty steps as PyTorch does: $name', async (run) => {
    const { config, plan, dataset } = await prepare(run.config, run.csv);
    expect(allOf(dataset.train.features)).toBeAllclose(run.x.flat(), { relative: 1e-13 });
    const engine = LocalEngine.start({ config, plan, choice }, dataset);
    for (const { name, value } of engine.parameters.list) {
      expect(value.data).toBeAllclose(run.parameters[name], { relative: 1e-10, absolute: 1e-14 });
    }
    const losses: number[] = [];
    await runTraining(engine, { stepsDone: (record) => void losses.push(...record.losses) });
    expect(losses).toBeAllclose(run.losses, { relative: 1e-10 });
  });
});
