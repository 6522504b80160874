/** What a study leaves on the disk, apart from times and its name: two studies are the same if this is. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** Checkpoints hold times, and how many there are is a matter of time. A page names its directory. */
const LEFT_OUT = /(^|\/)(checkpoint\/|lock|report\.html$|\..*\.partial$|study\.log\.lock)/;

/** By path, the content of each file of a study. Of a trial that failed, what its training left is a matter of time too. */
export function filesOfStudy(study) {
  const entries = readdirSync(study, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(study, join(parentPath, name)))
    .filter((path) => !LEFT_OUT.test(path))
    .sort();
  const contents = new Map(
    paths.map((path) => [path, timeless(path, readFileSync(join(study, path), 'latin1'))]),
  );
  const hasFailed = (path) => /"state":"failed"/.test(contents.get(join(dirname(path), 'trial.json')) ?? '');
  return Object.fromEntries(
    [...contents].filter(([path]) => path.endsWith('trial.json') || !hasFailed(path)),
  );
}

function timeless(path, text) {
  // The last column is the time that each epoch took.
  if (path.endsWith('epochs.csv')) return text.replace(/,[^,\n]*$/gm, '');
  if (path.endsWith('run.json')) return text.replace(/"(trainSeconds|samplesPerSecond)": [^,\n]*/g, '');
  if (path.endsWith('trial.json')) return text.replace(/"end":"[^"]*"/, '');
  if (!path.endsWith('study.log')) return text;
  const named = text.replace(/"study_name":"[^"]*"/g, '');
  const lines = named.replace(/"\d{4}-\d\d-\d\dT[^"]*"/g, '""').split('\n');
  // Values of a line that was cut off are written once more.
  return lines.filter((line, i) => lines.indexOf(line) === i).join('\n');
}

/** The first file in which two studies differ; undefined if there is none. */
export function firstDifference(found, expected) {
  return [...new Set([...Object.keys(expected), ...Object.keys(found)])].find(
    (path) => found[path] !== expected[path],
  );
}
