/**
 * The share of an epoch that its evaluation takes: `node bench/evaluation.js config.json… [--set key=value] [--rounds n]`. With
 * `--set data.validation=0`, that of the training rows alone. One thread, by the processor's time, since other work on the
 * machine does not count there; medians of rounds.
 */
import { argv } from 'node:process';
import { parseArgs } from 'node:util';
import { loadDataset } from '../dist/data/dataset/loadDataset.js';
import { thisMachine } from '../dist/kernels/blas/find.js';
import { loadTrainConfig } from '../dist/spec/loadConfig.js';
import { chooseBackend } from '../dist/training/engine/backend.js';
import { LocalEngine } from '../dist/training/engine/engine.js';
import { completeFor, planTraining } from '../dist/training/plan.js';
import { median } from './statistics.js';

const { values, positionals } = parseArgs({
  args: argv.slice(2),
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '9' }, set: { type: 'string', multiple: true } },
});

const milliseconds = async (work) => {
  const { user, system } = process.cpuUsage();
  await work();
  const after = process.cpuUsage({ user, system });
  return (after.user + after.system) / 1000;
};

for (const path of positionals) {
  const loaded = loadTrainConfig(path, values.set);
  const dataset = await loadDataset(loaded.config, loaded.directory, loaded.where);
  const whole = completeFor(loaded, dataset);
  const plan = planTraining(whole, dataset);
  const { validation, ...others } = plan.rows;
  const choice = chooseBackend(whole.config, plan, thisMachine());
  const engine = LocalEngine.start({ config: whole.config, plan, choice }, dataset);
  const losses = new Float64Array(plan.stepsPerEpoch);
  const rates = losses.slice().fill(1e-4);
  const times = { steps: [], evaluation: [] };
  for (let round = -2; round < Number(values.rounds); round++) {
    const steps = await milliseconds(() => engine.train(losses, rates));
    const evaluation = await milliseconds(() => engine.evaluate(false));
    if (round < 0) continue;
    times.steps.push(steps);
    times.evaluation.push(evaluation);
  }
  const [steps, evaluation] = [median(times.steps), median(times.evaluation)];
  console.log(
    `${path}: ${others.train} rows (validation ${validation}), ${choice.backend}: steps ${steps.toPrecision(3)} ms, ` +
      `evaluation ${evaluation.toPrecision(2)} ms, ${((100 * evaluation) / (steps + evaluation)).toFixed(0)} % of the epoch`,
  );
  await engine.close();
}
