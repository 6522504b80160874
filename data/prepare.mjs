/**
 * Makes the CSV files of this folder from the raw files that scikit-learn ships: real headers, classes by name,
 * every number as the source writes it. The same raw files give the same bytes.
 *
 *     node data/prepare.mjs <folder of raw files>
 *
 * The folder is laid out as `sklearn/datasets/data` of scikit-learn 1.2:
 *
 *     breast_cancer.csv, iris.csv, wine_data.csv   first line: rows, features, class names; the class's number is the last cell
 *     digits.csv.gz                                no header; the digit is the last cell
 *     diabetes_data_raw.csv.gz                     no header, separated by spaces
 *     diabetes_target.csv.gz                       one number a line, in the order of the rows above
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { argv, exit } from 'node:process';
import { gunzipSync } from 'node:zlib';

const [raw] = argv.slice(2);
if (raw === undefined) {
  console.error('usage: node data/prepare.mjs <folder of raw files>');
  exit(64);
}

const tumour = ['radius', 'texture', 'perimeter', 'area', 'smoothness', 'compactness', 'concavity'];
tumour.push('concave points', 'symmetry', 'fractal dimension');
const eight = [0, 1, 2, 3, 4, 5, 6, 7];

write('breast-cancer.csv', [
  [
    ...tumour.map((name) => `mean ${name}`),
    ...tumour.map((name) => `${name} error`),
    ...tumour.map((name) => `worst ${name}`),
    'diagnosis',
  ],
  ...classified('breast_cancer.csv'),
]);

write('iris.csv', [
  ['sepal length (cm)', 'sepal width (cm)', 'petal length (cm)', 'petal width (cm)', 'species'],
  ...classified('iris.csv'),
]);

write('wine.csv', [
  [
    'alcohol',
    'malic_acid',
    'ash',
    'alcalinity_of_ash',
    'magnesium',
    'total_phenols',
    'flavanoids',
    'nonflavanoid_phenols',
    'proanthocyanins',
    'color_intensity',
    'hue',
    'od280/od315_of_diluted_wines',
    'proline',
    'cultivar',
  ],
  ...classified('wine_data.csv'),
]);

write('digits.csv', [
  [...eight.flatMap((row) => eight.map((column) => `pixel_${row}_${column}`)), 'digit'],
  ...table('digits.csv.gz', ','),
]);

const progression = table('diabetes_target.csv.gz', ' ');
write('diabetes.csv', [
  ['age', 'sex', 'bmi', 'bp', 's1', 's2', 's3', 's4', 's5', 's6', 'progression'],
  // The source writes the target as 1.510000000000000000e+02; they are all whole numbers.
  ...table('diabetes_data_raw.csv.gz', ' ').map((cells, row) => [...cells, Number(progression[row][0])]),
]);

/** The rows of a raw file as cells of text. */
function table(name, delimiter) {
  const bytes = readFileSync(join(raw, name));
  const text = (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text
    .trimEnd()
    .split(/\r?\n/)
    .map((line) => line.split(delimiter));
}

/** The rows of a raw file with a first line of class names: the class's number gives way to its name. */
function classified(name) {
  const [[rows, features, ...classes], ...records] = table(name, ',');
  if (records.length !== Number(rows)) {
    throw new Error(`${name}: found ${records.length} rows, expected ${rows}`);
  }
  return records.map((cells) => [...cells.slice(0, Number(features)), classes[Number(cells.at(-1))]]);
}

/** Writes rows of cells, none of which needs quotes, with a line feed after each. */
function write(name, rows) {
  const width = rows[0].length;
  const ragged = rows.findIndex((cells) => cells.length !== width);
  if (ragged >= 0)
    throw new Error(`${name}: row ${ragged} has ${rows[ragged].length} cells, expected ${width}`);
  writeFileSync(new URL(name, import.meta.url), rows.map((cells) => `${cells.join(',')}\n`).join(''));
}
