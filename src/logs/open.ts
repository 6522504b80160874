/** The logs that a command names with --log. */
import { ExitCode, MlpError } from '../errors.js';
import { printable } from '../text.js';
import { MlflowLog, mlflowAddress } from './mlflow.js';
import type { RunLog } from './runLog.js';
import { TensorBoardLog } from './tensorboard.js';

const MLFLOW = 'mlflow=';

/** @throws MlpError ExitCode.usage for a log of another name */
export function openLogs(names: readonly string[], warn: (sentence: string) => void): RunLog[] {
  return [...new Set(names)].map((name) => {
    if (name === 'tensorboard') return new TensorBoardLog(warn);
    if (name.startsWith(MLFLOW)) {
      return new MlflowLog({ url: mlflowAddress(name.slice(MLFLOW.length)), warn });
    }
    throw new MlpError(
      ExitCode.usage,
      `--log: found ${printable(JSON.stringify(name))}, expected tensorboard or mlflow=<address>`,
      'such as --log tensorboard, or --log mlflow=http://localhost:5000',
    );
  });
}
