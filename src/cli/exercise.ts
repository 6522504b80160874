/** mlp gradcheck --exercise: a graph file for a class. */
import { writeNewFile } from '../files/outputFile.js';
import { makeExercise } from '../gradcheck/exercise.js';
import { formatJson } from '../spec/json.js';
import { printable } from '../text.js';
import { shellWord } from './initOutput.js';
import { note, print } from './output.js';
import { STANDARD_STREAM } from './reading.js';

export interface ExerciseOptions {
  readonly seed?: number;
  readonly solution?: boolean;
  readonly output?: string;
  readonly force?: boolean;
}

/** A fresh graph to differentiate by hand: a graph file on stdout, or in the file of -o. */
export function writeExercise({ seed = 0, solution = false, output, force = false }: ExerciseOptions): void {
  const text = formatJson(makeExercise(seed, solution));
  if (output === undefined || output === STANDARD_STREAM) {
    print(text);
    return;
  }
  writeNewFile(output, `${text}\n`, force);
  note(printable(`wrote ${output}`));
  if (!solution) note(printable(`replace each "?" by a derivative; then mlp gradcheck ${shellWord(output)}`));
}
