/**
 * Writes MNIST as a CSV, a row for each image: node data/mnist.mjs <images.gz> <labels.gz> > data/mnist.csv
 * The files are those of http://yann.lecun.com/exdb/mnist/, for example from
 * https://ossci-datasets.s3.amazonaws.com/mnist/t10k-images-idx3-ubyte.gz and t10k-labels-idx1-ubyte.gz.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const USAGE = 'usage: node data/mnist.mjs <images.gz> <labels.gz> > data/mnist.csv';

/** The bytes of an IDX file, and the length of each dimension. */
function readIdx(path, dimensions) {
  const bytes = gunzipSync(readFileSync(path));
  // Two zeros, 8 for unsigned bytes, the number of dimensions, and their lengths.
  if (bytes.readUInt32BE(0) !== 0x0800 + dimensions)
    throw new Error(`${path}: found no IDX file of ${dimensions} dimensions`);
  const shape = Array.from({ length: dimensions }, (_, i) => bytes.readUInt32BE(4 + 4 * i));
  return { shape, values: bytes.subarray(4 + 4 * dimensions) };
}

const [imagesPath, labelsPath] = process.argv.slice(2);
if (labelsPath === undefined) {
  console.error(USAGE);
  process.exitCode = 64;
} else {
  const { shape, values } = readIdx(imagesPath, 3);
  const labels = readIdx(labelsPath, 1).values;
  const [images, rows, columns] = shape;
  const pixels = rows * columns;
  const names = Array.from({ length: pixels }, (_, i) => `pixel_${Math.floor(i / columns)}_${i % columns}`);
  process.stdout.write(`${[...names, 'digit'].join()}\n`);
  for (let image = 0; image < images; image++) {
    const row = values.subarray(image * pixels, (image + 1) * pixels);
    if (!process.stdout.write(`${row.join()},${labels[image]}\n`)) await once(process.stdout, 'drain');
  }
}
