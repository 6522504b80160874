/** mlp gradcheck --exercise: a graph file for a class. */
import { writeNewFile } from '../files/outputFile.js';
import { makeExercise } from '../gradcheck/exercise.js';
import { formatJson } from '../spec/json.js';
import { printable } from '../text.js';
import { shellWord } from './initOutput.js';
import { note, print, toJson } from './output.js';
import { STANDARD_STREAM } from './reading.js';

export interface ExerciseOptions {
  readonly json?: boolean;
  readonly seed?: number;
  readonly solution?: boolean;
  readonly output?: string;
  readonly force?: boolean;
}

/** A fresh graph to differentiate by hand: a graph file on stdout, or in the file of -o. */
export function writeExercise({
  seed = 0,
  solution = false,
  output,
  force = false,
  json,
}: ExerciseOptions): void {
  const exercise = makeExercise(seed, solution);
  const text = formatJson(exercise);
  if (output === undefined || output === STANDARD_STREAM) {
    print(text);
    return;
  }
  writeNewFile(output, `${text}\n`, force);
  if (json) {
    print(toJson({ path: output, exercise }, 2));
    return;
  }
  note(printable(`wrote ${output}`));
  if (!solution) note(printable(`replace each "?" by a derivative; then mlp gradcheck ${shellWord(output)}`));
}
