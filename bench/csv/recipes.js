/**
 * What is in the files of the workloads: by name, the columns, the number of rows, and how a row is drawn; or another file to repeat. Only a block of rows is drawn,
 * the rest of the file repeats it: no reader knows a row again, and a million of them would take longer to draw than all do to read them.
 */

/** Pixels along an image, and how many of them are blank at its edges. */
const SIDE = 28;
const EDGE = 2;

/** Strokes a few pixels wide, about a fifth of the image: bright, and blurred at their ends. The rest is 0, as in MNIST. */
function drawPixels(random) {
  const pixels = new Array(SIDE * SIDE).fill(0);
  for (let y = EDGE; y < SIDE - EDGE; y++) {
    for (let x = EDGE; x < SIDE - EDGE; x++) {
      if (random.rand() >= 0.08) continue;
      const end = Math.min(x + random.randint(2, 7), SIDE - EDGE);
      for (const start = x; x < end; x++) {
        const blurred = x === start || x === end - 1;
        pixels[y * SIDE + x] = blurred ? random.randint(1, 256) : random.randint(240, 256);
      }
    }
  }
  return pixels;
}

const INPUTS = 30;

/** Normals, and a target that hangs on the first of them. */
function drawNormals(random) {
  const values = Array.from({ length: INPUTS }, () => random.randn());
  return [...values, values[0] + 0.1 * random.randn()];
}

const WORDS = [
  'old',
  'red',
  'small',
  'painted,',
  'broken,',
  '"new"',
  'wooden',
  'chair',
  'table',
  'lamp',
  'für',
];
const CITIES = ['Springfield, IL', 'Portland, OR', 'Zürich', 'São Paulo', 'Washington, D.C.', 'Köln', 'Oslo'];
const COLOURS = ['red', 'green', 'blue', 'white', 'black'];
const SIZES = ['small', 'medium', 'large'];

/** A sale: two columns in quotes, a note and a category; two more categories; integers, floats, and whether it was sold. */
function drawSale(random) {
  const oneOf = (list) => list[random.randint(0, list.length)];
  const note = Array.from({ length: random.randint(3, 9) }, () => oneOf(WORDS)).join(' ');
  return [
    ...[quoted(note), quoted(oneOf(CITIES)), oneOf(COLOURS), oneOf(SIZES)],
    ...[random.randint(1900, 2024), random.randint(1, 100), random.randint(0, 5000), random.randint(0, 10)],
    ...Array.from({ length: 6 }, () => eightDigits(random.randn())),
    random.rand() < 0.4 ? 'yes' : 'no',
  ];
}

function quoted(text) {
  return `"${text.replaceAll('"', '""')}"`;
}

/** As `%.8g` has it. */
function eightDigits(value) {
  return Number(value.toPrecision(8));
}

function numbered(prefix, count) {
  return Array.from({ length: count }, (_, column) => `${prefix}${column}`);
}

const DIGITS = {
  columns: ['label', ...numbered('p', SIDE * SIDE)],
  block: 6_000,
  draw: (random) => [random.randint(0, 10), ...drawPixels(random)],
};
const NORMALS = { columns: [...numbered('f', INPUTS), 'y'], block: 20_000 };

/** A real table, rows of text and integers, as often as makes 2 million rows. */
const ADULT = { source: 'adult.csv.gz', repeats: 41 };

export const RECIPES = {
  integers: { ...DIGITS, rows: 60_000 },
  'integers-10': { ...DIGITS, rows: 600_000 },
  floats: { ...NORMALS, rows: 1_000_000, draw: (random) => drawNormals(random).map(eightDigits) },
  digits17: { ...NORMALS, rows: 300_000, draw: drawNormals },
  mixed: {
    columns: ['note', 'city', 'colour', 'size', ...numbered('n', 4), ...numbered('f', 6), 'sold'],
    block: 20_000,
    rows: 440_000,
    draw: drawSale,
  },
  adult: ADULT,
  'adult-once': { ...ADULT, repeats: 1 },
  'adult-parquet': { parquetOf: 'adult' },
};
