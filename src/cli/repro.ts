/** mlp repro: trains a run again, in memory, and compares the weights. */
import { ExitCode } from '../errors.js';
import { printable } from '../text.js';
import { reproduce } from '../training/train.js';
import type { CommonOptions } from './options.js';
import { print, toJson } from './output.js';
import { RunReport } from './trainReport.js';

export async function run(path: string, options: CommonOptions): Promise<void> {
  const report = new RunReport(options, 'finishing the step', options.json);
  try {
    const { status, difference, expected, found } = await reproduce(path, report);
    if (status === 'interrupted') {
      process.exitCode = report.exitCode;
      return;
    }
    report.close();
    if (options.json) {
      print(toJson({ equal: !difference, difference, expected, found }));
    } else if (difference) {
      const { what, found, expected } = difference;
      print(`differs in ${what}: found ${printable(found)}, expected ${printable(expected)}`);
    } else {
      print(`the same weights, bit for bit: SHA-256 ${found}`);
    }
    if (difference) process.exitCode = ExitCode.checkFailed;
  } finally {
    report.close();
  }
}
