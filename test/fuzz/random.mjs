/** Random numbers, and random damage to bytes and to JSON. A seed always means the same damage. */
import { Mt19937 } from '../../dist/random/mt19937.js';

/** Longer inputs are cut: the limits on time and memory hold for inputs up to here. */
export const MOST_BYTES = 2 ** 20;

export class Random {
  #generator = new Mt19937();

  constructor(seed) {
    this.#generator.seed(seed >>> 0);
  }

  /** A whole number from 0 to `bound` − 1. */
  below(bound) {
    return (this.#generator.nextInt32() >>> 0) % bound;
  }

  /** True once in `n` times. */
  oneIn(n) {
    return this.below(n) === 0;
  }

  pick(items) {
    return items[this.below(items.length)];
  }

  /** Small numbers are the likeliest, and all up to `bound` − 1 are possible. */
  small(bound) {
    return this.below(1 + this.below(bound));
  }

  /** How often an input is damaged: mostly once. */
  mutations() {
    return this.oneIn(2) ? 1 : 1 + this.small(5);
  }

  bytes(length) {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }
}

/** Bytes after one mutation; `others` are files that give parts of themselves. */
export function mutateBytes(random, bytes, others = [bytes]) {
  const at = random.below(bytes.length + 1);
  const end = Math.min(bytes.length, at + 1 + random.small(64));
  const rest = bytes.subarray(end);
  const before = bytes.subarray(0, at);
  switch (random.below(10)) {
    case 0:
      return flipped(random, bytes, 1);
    case 1:
      return flipped(random, bytes, 1 + random.small(100));
    case 2:
      return Buffer.concat([before, random.bytes(end - at), rest]);
    case 3:
      return Buffer.concat([before, random.bytes(1 + random.small(64)), bytes.subarray(at)]);
    case 4:
      return Buffer.concat([before, rest]);
    case 5:
      return before;
    case 6: {
      // Grown by copies of a part.
      const part = bytes.subarray(at, at + 1 + random.small(4096));
      return Buffer.concat([
        before,
        ...Array.from({ length: 1 + random.small(300) }, () => part),
        bytes.subarray(at),
      ]);
    }
    case 7: {
      const other = random.pick(others);
      const from = random.below(other.length + 1);
      return Buffer.concat([before, other.subarray(from, from + random.small(4096)), rest]);
    }
    case 8:
      return Buffer.concat([
        before,
        Buffer.alloc(random.small(4096), random.pick([0, 0xff, 0x20, 0x0a])),
        rest,
      ]);
    default:
      // An extreme number in place of what may be one.
      return withNumber(random, bytes, at);
  }
}

function flipped(random, bytes, count) {
  const copy = Buffer.from(bytes);
  if (copy.length === 0) return copy;
  for (let i = 0; i < count; i++) copy[random.below(copy.length)] ^= 1 << random.below(8);
  return copy;
}

function withNumber(random, bytes, at) {
  const copy = Buffer.from(bytes);
  const width = random.pick([1, 2, 4, 8]);
  const value = random.pick([
    0n,
    1n,
    127n,
    128n,
    255n,
    65535n,
    2n ** 31n - 1n,
    2n ** 31n,
    2n ** 32n - 1n,
    2n ** 53n,
    2n ** 63n,
    2n ** 64n - 1n,
  ]);
  const number = Buffer.alloc(8);
  number.writeBigUInt64LE(value);
  number.copy(copy, Math.max(0, Math.min(at, copy.length - width)), 0, width);
  return copy;
}

/** JSON texts that take the place of a value. */
const VALUES = [
  ...[
    'null',
    'true',
    'false',
    '0',
    '-0',
    '-1',
    '1',
    '2',
    '3',
    '0.5',
    '-0.5',
    '1e-300',
    '1e3',
    '1e7',
    '1e308',
    '1e999',
    '-1e999',
  ],
  ...[
    '2147483647',
    '2147483648',
    '4294967296',
    '9007199254740991',
    '9007199254740993',
    '18446744073709551615',
    '5e-324',
  ],
  ...[
    '[]',
    '{}',
    '[[]]',
    '[{}]',
    '[null]',
    '{"":""}',
    '{"type":null}',
    '{"type":[]}',
    '{"type":"residual","layers":[]}',
    '""',
    '" "',
    '"0"',
    '"auto"',
    '"-"',
  ],
  ...[
    '"*"',
    '"/"',
    '"."',
    '".."',
    '"nothing"',
    '"data.csv"',
    '"\\u0000"',
    '"\\u202e"',
    '"\\ud800"',
    '"\\u001b[31m"',
    '"é"',
    '"\u{1f600}"',
    '"__proto__"',
    '"constructor"',
    '"toString"',
    '"hasOwnProperty"',
    '"NaN"',
    '"Infinity"',
  ],
];
const KEYS = [
  '',
  '__proto__',
  'constructor',
  'toString',
  'length',
  'type',
  'layers',
  'ünï\u{1f600}',
  'x'.repeat(300),
  '\\u0000',
  '\\u202e',
];
const TOKEN = /"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null|[[\]{},:]/g;

/** A JSON text after one mutation, mostly still JSON. `words` are texts that the reader may know. */
export function mutateJson(random, text, words = []) {
  if (!random.oneIn(8)) {
    const changed = mutateTree(random, text, words);
    if (changed !== undefined) return changed;
  }
  const tokens = [...text.matchAll(TOKEN)];
  if (tokens.length === 0) return random.pick(VALUES);
  const { index, 0: token } = random.pick(tokens);
  const other = random.pick([
    '',
    random.pick(tokens)[0],
    `${token},${token}`,
    random.pick(VALUES),
    nested(random, token),
    wide(random, token),
  ]);
  return text.slice(0, index) + other + text.slice(index + token.length);
}

/** A value within up to thousands of brackets. */
function nested(random, value) {
  const [open, close] = random.pick([
    ['[', ']'],
    ['{"a":', '}'],
    ['{"type":"residual","layers":[', ']}'],
  ]);
  const most = Math.floor(MOST_BYTES / 2 / (open.length + close.length));
  const times = Math.min(1 + random.small(random.pick([10, 100, 200_000])), most);
  return `${open.repeat(times)}${value}${random.oneIn(20) ? '' : close.repeat(times)}`;
}

/** A value up to thousands of times. */
function wide(random, value) {
  const most = Math.floor(MOST_BYTES / 2 / (value.length + 1));
  return `[${Array(Math.min(random.small(random.pick([10, 100, 200_000])), most))
    .fill(value)
    .join()}]`;
}

/** A deeper tree, which an earlier mutation has made, is left to those of texts. */
const DEEPEST = 100;

/** Changes a node of the tree; undefined if the text is no JSON. */
function mutateTree(random, text, words) {
  let root;
  try {
    root = { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
  const places = [];
  const visit = (node, depth) => {
    for (const key of Object.keys(node)) {
      places.push([node, key]);
      if (typeof node[key] !== 'object' || node[key] === null) continue;
      if (depth === DEEPEST || !visit(node[key], depth + 1)) return false;
    }
    return true;
  };
  if (!visit(root, 0)) return undefined;
  const [node, key] = random.pick(places);
  const word = () => (words.length > 0 && !random.oneIn(3) ? random.pick(words) : random.pick(KEYS));
  switch (random.below(12)) {
    case 0:
      if (Array.isArray(node)) node.splice(Number(key), 1);
      else delete node[key];
      break;
    case 1: {
      const [other, otherKey] = random.pick(places);
      node[key] = JSON.parse(JSON.stringify(other[otherKey] ?? null));
      break;
    }
    case 2: {
      const value = node[key];
      delete node[key];
      setOwn(node, word(), value);
      break;
    }
    case 3:
      setOwn(node, word(), random.oneIn(2) ? word() : { raw: random.pick(VALUES) });
      break;
    case 4:
      node[key] = { raw: rawValue(random, node[key]) };
      break;
    default:
      node[key] = similar(random, node[key], words);
  }
  return JSON.stringify(root.value ?? null, (_, value) =>
    isRaw(value) ? `\u0001${value.raw}\u0001` : value,
  ).replace(/"\\u0001(.*?)\\u0001"/gs, (_, json) => JSON.parse(`"${json}"`));
}

function setOwn(node, key, value) {
  if (Array.isArray(node)) {
    node.push(value);
    return;
  }
  Object.defineProperty(node, key, { value, enumerable: true, configurable: true, writable: true });
}

function isRaw(value) {
  return typeof value === 'object' && value !== null && typeof value.raw === 'string';
}

/** The text of any other value, or of the same one many times. */
function rawValue(random, value) {
  const text = JSON.stringify(value ?? null);
  return random.pick([random.pick(VALUES), nested(random, text), wide(random, text)]);
}

/** Another value of the same type. */
function similar(random, value, words) {
  if (typeof value === 'number')
    return random.pick([value + 1, value - 1, -value, value * 10, value / 3, value + 0.5]);
  if (typeof value === 'boolean') return !value;
  if (typeof value === 'string') return words.length > 0 ? random.pick(words) : `${value}${value}`;
  if (Array.isArray(value))
    return random.pick([value.slice(1), [...value, ...value], value.toReversed(), [value]]);
  return value;
}

/** At most MOST_BYTES of them. */
export function cut(bytes) {
  return bytes.subarray(0, MOST_BYTES);
}

/** What a schema knows: its keys, and the texts that they take. */
export function wordsOf(schema) {
  const words = new Set();
  const visit = (node) => {
    if (typeof node !== 'object' || node === null) return;
    for (const key of Object.keys(node.properties ?? {})) words.add(key);
    for (const value of [node.const, ...(node.enum ?? [])]) if (typeof value === 'string') words.add(value);
    Object.values(node).forEach(visit);
  };
  visit(schema);
  return [...words];
}
