/** The models that predict, trained for an epoch: as runs, and as what peers take. */
import { spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execPath } from 'node:process';
import { fileURLToPath } from 'node:url';

const MLP = fileURLToPath(new URL('../../bin/mlp.js', import.meta.url));

function mlp(...args) {
  const { status, stderr } = spawnSync(execPath, [MLP, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  if (status !== 0) throw new Error(`mlp ${args[0]}: ${stderr}`);
}

/** A network of plain layers: no row is held out, so that peers standardise by the same numbers. */
function plainConfig(data, target, layers) {
  return {
    network: { layers },
    data: { train: data, target, task: 'multiclass', validation: 0 },
    training: { batchSize: 200 },
  };
}

/**
 * A task with its model on disk: a run directory, an ONNX file, and for plain layers their weights as .npz.
 * @param task its CSV is at `path`
 */
export function withModel(task, folder) {
  const { path, file, target, layers } = task;
  const [config, run] = [join(folder, `predict-${file}.json`), join(folder, `predict-${file}`)];
  const [onnx, weights] = [`${run}.onnx`, `${run}.npz`];
  if (!existsSync(onnx)) {
    if (layers) writeFileSync(config, JSON.stringify(plainConfig(path, target, layers)));
    else mlp('init', path, '--target', target, '-o', config);
    mlp('train', config, '--run', run, '--set', 'training.epochs=1', '--no-report');
    if (layers) mlp('export', run, '--to', 'npz', '-o', weights);
    mlp('export', run, '--to', 'onnx', '-o', onnx);
  }
  return { ...task, run, onnx, ...(layers && { weights }), output: join(folder, 'predictions.csv') };
}
