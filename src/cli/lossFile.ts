/** mlp evaluate --losses: a CSV with the loss of each row, by its line or its number in the file. */
import { OutputFile } from '../files/outputFile.js';
import type { Predicted } from '../model/inference.js';
import type { ReadingModel } from '../model/load.js';
import { rowLosses } from '../model/rowLosses.js';
import type { ExpectedValues } from '../model/scorer.js';

/** Rows with what the network makes of them. */
interface ScoredRows {
  readonly rows: number;
  readonly logits: { readonly data: ArrayLike<number> };
}

/** Gets its name when it is closed; until then an error or an exit removes it. */
export class LossFile {
  readonly #file: OutputFile;

  /** @throws MlpError ExitCode.cantCreate for an existing file without `force`, or a missing folder */
  constructor(path: string, by: 'line' | 'row', { force = false }: { readonly force?: boolean }) {
    this.#file = new OutputFile(path, force);
    this.#file.write(`${by},loss\n`);
  }

  /**
   * @param expected as for a scorer: rows without a target have no loss, and no line
   * @param names [rows] the line, or the number, of each
   */
  add(
    model: ReadingModel,
    { outputs }: Predicted,
    { rows, logits }: ScoredRows,
    expected: ExpectedValues,
    names: ArrayLike<number>,
  ): void {
    const width = expected.length / rows;
    const isLabels = expected instanceof Int32Array;
    const losses = rowLosses(model, outputs, expected, logits.data);
    let text = '';
    for (let row = 0; row < rows; row++) {
      const own = expected.subarray(row * width, (row + 1) * width);
      if (own.some((value) => (isLabels ? value < 0 : Number.isNaN(value)))) continue;
      text += `${names[row]},${losses[row]}\n`;
    }
    this.#file.write(text);
  }

  close(): Promise<void> {
    return this.#file.finish();
  }

  discard(): void {
    this.#file.discard();
  }
}
