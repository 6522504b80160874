/** The workloads that read CSVs, from the file to the matrix that is trained on. */
import { RECIPES } from './recipes.js';

/** What stands for the matrix in a task: its size, and the column that is no part of it. */
function shape(file, target) {
  const { rows, columns } = RECIPES[file];
  return { file, rows, features: columns.length - 1, target, targetColumn: columns.indexOf(target) };
}

/** A CSV to a standardised float32 matrix. `contenders`: the kinds of those that are asked. */
function loading(data, contenders, id = 'load') {
  return { id, kind: 'load', contenders, ...data };
}

/** A file to a table: numbers as float64, texts as codes of their levels. */
function tabling(file, contenders) {
  return { id: 'table', kind: 'table', contenders, file, rows: ADULT_ROWS };
}

/** The most memory that a process has taken which only reads the CSV, or trains a step on it. */
function peaks(data, outputs) {
  return [
    { id: 'peak memory of reading', kind: 'peak', reads: true, outputs, ...data },
    { id: 'peak memory of mlp train', kind: 'peak', reads: false, outputs, ...data },
  ];
}

const ADULT_ROWS = 2_002_522;
const READERS = ['load', 'load-1', 'csv-parse', 'pandas', 'polars', 'duckdb'];
const INTEGERS = shape('integers', 'label');
const FLOATS = shape('floats', 'y');
export const LESS = loading(INTEGERS, ['load'], '60,000 rows');
export const MORE = loading(shape('integers-10', 'label'), ['load'], '600,000 rows');

export const CSV_WORKLOADS = [
  {
    id: 'csv-integers',
    title: 'CSV of 60,000 × 785 integers',
    tasks: [loading(INTEGERS, READERS), ...peaks(INTEGERS, 10)],
  },
  {
    id: 'csv-floats',
    title: 'CSV of 1,000,000 × 31 floats of 8 digits',
    tasks: [loading(FLOATS, READERS), ...peaks(FLOATS, 1)],
  },
  {
    id: 'csv-digits17',
    title: 'CSV of 300,000 × 31 floats of 17 digits',
    tasks: [loading(shape('digits17', 'y'), READERS)],
  },
  {
    id: 'csv-mixed',
    title: 'CSV of text in quotes, categories and numbers',
    tasks: [loading({ ...shape('mixed', 'sold'), exclude: ['note'] }, ['load', 'csv-parse-alone'])],
  },
  {
    id: 'csv-adult',
    title: 'CSV of UCI Adult, 2,002,522 rows of 9 texts and 6 integers',
    tasks: [tabling('adult', READERS)],
  },
  {
    id: 'parquet-adult',
    title: 'Parquet of UCI Adult, 2,002,522 rows of 9 texts and 6 integers',
    tasks: [tabling('adult-parquet', READERS)],
  },
  { id: 'csv-scaling', title: 'CSV of integers, ten times the rows', tasks: [LESS, MORE] },
];

/** In MB: what a process may take for a matrix, Node and everything included. */
export function memoryAllowance({ rows, features }) {
  return (rows * features * Float32Array.BYTES_PER_ELEMENT * 1.3) / 1e6 + 120;
}
